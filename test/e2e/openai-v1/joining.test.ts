import { request } from 'node:http';
import { Redis } from 'ioredis';
import OpenAI from 'openai';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
let redis: Redis;
beforeAll(async () => {
  service = await startService();
  redis = new Redis(service.env.REDIS_URL ?? '', { keyPrefix: '' });
  return async () => {
    redis.disconnect();
    await service.close();
  };
});
// Every test begins without callers of the one before it.
afterEach(() => untilDelivered());

const callsFor = (prompt: string) => service.studio.calls.filter((call) => call.prompt === prompt);

/** Sends a request as a client without any mark, and cuts its connection as soon as the provider works on it. */
async function cutOff(prompt: string): Promise<void> {
  const outgoing = request(`${service.url}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKeys.acme}`, 'content-type': 'application/json' },
  });
  outgoing.on('error', () => {});
  outgoing.end(JSON.stringify({ prompt }));
  await expect.poll(() => callsFor(prompt).length, { timeout: 20_000 }).toBe(1);
  outgoing.destroy();
}

async function generate(prompt: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}/v1/images/generations`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${testKeys.acme}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ prompt }),
  });
  const body = (await response.json()) as { data?: unknown };
  return { status: response.status, headers: response.headers, body };
}

/** States of the jobs whose callers wait or went away, of all groups of equal requests. */
async function callerStates(): Promise<string[]> {
  const keys = await redis.keys(`${service.env.REDIS_KEY_PREFIX}:*:callers:*`);
  const members = await Promise.all(keys.map((key) => redis.hvals(key)));
  return members.flat().map((member) => member.split(' ')[1] ?? '');
}

const untilOrphaned = () => expect.poll(callerStates, { timeout: 20_000 }).toEqual(['orphan']);
const untilDelivered = () => expect.poll(callerStates, { timeout: 20_000 }).toEqual([]);

describe('a repeated request', () => {
  it('joins the job of a caller who disconnected, and pays nothing', async () => {
    const prompt = 'An orphaned fox [studio:latency=1500]';
    await cutOff(prompt);
    await untilOrphaned();
    const again = await generate(prompt);
    expect(again.status).toBe(200);
    expect(again.headers.get('x-darkroom-joined')).toBe(again.headers.get('x-darkroom-job-id'));
    expect(callsFor(prompt)).toHaveLength(1);
  });

  it('joins an orphan only once: a third equal request is a job of its own', async () => {
    const prompt = 'A fox for one heir [studio:latency=1500]';
    await cutOff(prompt);
    await untilOrphaned();
    const [first, second] = await Promise.all([generate(prompt), generate(prompt)]);
    const joined = [first, second].filter(({ headers }) => headers.get('x-darkroom-joined'));
    expect(joined).toHaveLength(1);
    expect(callsFor(prompt)).toHaveLength(2);
  });

  it('does not join a job whose response was delivered', async () => {
    const prompt = 'A delivered fox';
    await generate(prompt);
    await untilDelivered();
    const again = await generate(prompt, { 'x-stainless-retry-count': '1' });
    expect(again.headers.get('x-darkroom-joined')).toBeNull();
    expect(callsFor(prompt)).toHaveLength(2);
  });

  it('joins a running job if the client marks it as a retry', async () => {
    const prompt = 'A retried fox [studio:latency=1500]';
    const first = generate(prompt);
    await expect.poll(() => callsFor(prompt).length, { timeout: 20_000 }).toBe(1);
    const retry = await generate(prompt, { 'x-stainless-retry-count': '1' });
    expect(retry.headers.get('x-darkroom-joined')).toBe((await first).headers.get('x-darkroom-job-id'));
    expect(callsFor(prompt)).toHaveLength(1);
  });

  it('joins by its Idempotency-Key for good', async () => {
    const prompt = 'A fox with a key';
    const headers = { 'idempotency-key': 'fox-with-a-key' };
    const first = await generate(prompt, headers);
    const again = await generate(prompt, headers);
    expect(again.headers.get('x-darkroom-joined')).toBe(first.headers.get('x-darkroom-job-id'));
    expect(again.body.data).toEqual(first.body.data);
    expect(callsFor(prompt)).toHaveLength(1);
  });

  it('of the official client after a cut connection pays once', async () => {
    const prompt = 'A fox on a bad line [studio:latency=1500]';
    let cuts = 1;
    const client = new OpenAI({
      apiKey: testKeys.acme,
      baseURL: `${service.url}/v1`,
      fetch: async (url, init) => {
        if (cuts === 0) return fetch(url, init);
        cuts -= 1;
        const cut = new AbortController();
        const response = fetch(url, { ...init, signal: cut.signal });
        response.catch(() => {});
        await expect.poll(() => callsFor(prompt).length, { timeout: 20_000 }).toBe(1);
        cut.abort();
        throw new TypeError('fetch failed');
      },
    });
    const { data, response } = await client.images.generate({ prompt }).withResponse();
    expect(data.data).toHaveLength(1);
    expect(response.headers.get('x-darkroom-joined')).toMatch(/^img_/);
    expect(callsFor(prompt)).toHaveLength(1);
  });
});
