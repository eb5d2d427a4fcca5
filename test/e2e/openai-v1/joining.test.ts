import { request } from 'node:http';
import { Redis } from 'ioredis';
import OpenAI from 'openai';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ImageJobView } from '../../../src/domain/job-view.ts';
import { generationBytes, startGeneration } from '../../support/openai-requests.ts';
import { openRaw, readResponse } from '../../support/raw-http.ts';
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

/** Waits until the provider works on a prompt for longer than official SDKs pause before a retry. */
async function untilRetryIsPossible(prompt: string): Promise<void> {
  const ageMs = async () => {
    const { body } = await service.acme.get('/images').expect(200);
    const job = body.data.find((each: ImageJobView) => each.request?.prompt === prompt);
    return callsFor(prompt).length > 0 ? Date.now() - Date.parse(job.created_at) : 0;
  };
  await expect.poll(ageMs, { timeout: 20_000 }).toBeGreaterThan(400);
}

/** States of the jobs whose callers wait or went away, of all groups of equal requests. */
async function callerStates(): Promise<string[]> {
  const keys = await redis.keys(`${service.env.REDIS_KEY_PREFIX}:*:callers:*`);
  const members = await Promise.all(keys.map((key) => redis.hvals(key)));
  return members.flat().map((member) => member.split(' ')[1] ?? '');
}

const untilOrphaned = () => expect.poll(callerStates, { timeout: 20_000 }).toEqual(['orphan']);
const untilDelivered = () => expect.poll(callerStates, { timeout: 20_000 }).toEqual([]);

/** Creates an official client whose first connections are cut when the provider has so many calls for a prompt. */
function clientOnBadLine(prompt: string, connections: number): OpenAI {
  let cuts = connections;
  return new OpenAI({
    apiKey: testKeys.acme,
    baseURL: `${service.url}/v1`,
    fetch: async (url, init) => {
      if (cuts === 0) return fetch(url, init);
      cuts -= 1;
      const cut = new AbortController();
      fetch(url, { ...init, signal: cut.signal }).catch(() => {});
      await expect.poll(() => callsFor(prompt).length, { timeout: 20_000 }).toBe(connections);
      cut.abort();
      throw new TypeError('fetch failed');
    },
  });
}

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
    await untilRetryIsPossible(prompt);
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
    const client = clientOnBadLine(prompt, 1);
    const { data, response } = await client.images.generate({ prompt }).withResponse();
    expect(data.data).toHaveLength(1);
    expect(response.headers.get('x-darkroom-joined')).toMatch(/^img_/);
    expect(callsFor(prompt)).toHaveLength(1);
  });
});

describe('parallel equal requests', () => {
  it('of the official client get a job each after their connections were cut, and pay for these jobs only', async () => {
    const prompt = 'Parallel foxes on a bad line [studio:latency=1500]';
    const client = clientOnBadLine(prompt, 2);
    const responses = await Promise.all([1, 2].map(() => client.images.generate({ prompt }).withResponse()));
    const joined = responses.map(({ response }) => response.headers.get('x-darkroom-joined'));
    expect(new Set(joined).size).toBe(2);
    for (const each of joined) expect(each).toMatch(/^img_/);
    expect(callsFor(prompt)).toHaveLength(2);
  });

  it('on one connection are both joined after the connection was cut', async () => {
    const bodies = ['first', 'second'].map((no) => ({
      prompt: `A ${no} pipelined fox [studio:latency=1500]`,
    }));
    const { socket } = await openRaw(Number(new URL(service.url).port));
    socket.write(bodies.map((body) => generationBytes(body)).join(''));
    for (const { prompt } of bodies)
      await expect.poll(() => callsFor(prompt).length, { timeout: 20_000 }).toBe(1);
    socket.resetAndDestroy();
    await expect.poll(callerStates, { timeout: 20_000 }).toEqual(['orphan', 'orphan']);
    for (const { prompt } of bodies) {
      expect((await generate(prompt)).headers.get('x-darkroom-joined')).toMatch(/^img_/);
      expect(callsFor(prompt)).toHaveLength(1);
    }
  });
});

describe('a response that its caller has read', () => {
  it('is delivered once another request of any route arrives on its connection, also if that is reset', async () => {
    const prompt = 'A fox that was read';
    const { socket, received } = await openRaw(Number(new URL(service.url).port));
    socket.write(generationBytes({ prompt }));
    const response = () => readResponse(received(), { ended: false, isHead: false });
    await expect.poll(() => response()?.complete, { timeout: 20_000 }).toBe(true);
    const first = received().length;
    socket.write(`GET /livez HTTP/1.1\r\nhost: x\r\n\r\n`);
    await expect.poll(() => received().subarray(first).toString()).toContain('200 OK');
    socket.resetAndDestroy();
    await untilDelivered();
    expect((await generate(prompt)).headers.get('x-darkroom-joined')).toBeNull();
    expect(callsFor(prompt)).toHaveLength(2);
  });
});

describe('a request with Prefer: respond-async', () => {
  const prefer = { prefer: 'respond-async' };

  it('leaves no job to join once its caller has the response', async () => {
    const prompt = 'An asynchronous fox [studio:latency=1500]';
    const first = await generate(prompt, prefer);
    expect(first.status).toBe(202);
    await untilDelivered();
    const retry = await generate(prompt, { ...prefer, 'x-stainless-retry-count': '1' });
    expect(retry.headers.get('x-darkroom-joined')).toBeNull();
  });

  it('leaves an orphan if its caller disconnects before the response', async () => {
    const prompt = 'An asynchronous fox without a caller [studio:latency=1500]';
    const headers = { prefer: 'respond-async, wait=20' };
    const { request: outgoing } = startGeneration(service.url, { prompt }, { headers });
    await expect.poll(() => callsFor(prompt).length, { timeout: 20_000 }).toBe(1);
    outgoing.destroy();
    await untilOrphaned();
    expect((await generate(prompt)).headers.get('x-darkroom-joined')).toMatch(/^img_/);
    expect(callsFor(prompt)).toHaveLength(1);
  });
});
