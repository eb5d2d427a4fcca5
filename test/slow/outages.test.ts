import supertest from 'supertest';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { jobThat } from '../support/caller.ts';
import { eventually } from '../support/eventually.ts';
import { queryRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';

// A task of a dead connection runs again after its lock has expired.
vi.setConfig({ testTimeout: 60_000 });

let redis: TestRedis;
let service: TestService;
beforeAll(async () => {
  redis = await startTestRedis();
  service = await startService({ REDIS_URL: redis.url });
  return async () => {
    await service.close();
    await redis.stop();
  };
});

/** Submits a job. Rejects if there is no response within the limit. */
function submitWithin(limitMs: number, prompt: string, headers: Record<string, string> = {}) {
  const json = { 'content-type': 'application/json', ...headers };
  return postWithin(limitMs, '/images', { headers: json, body: JSON.stringify({ prompt }) });
}

async function postWithin(limitMs: number, path: string, request: { headers: object; body?: string }) {
  const response = await fetch(service.url + path, {
    method: 'POST',
    ...request,
    headers: { authorization: `Bearer ${testKeys.acme}`, ...request.headers },
    signal: AbortSignal.timeout(limitMs),
  });
  const reply = (await response.json()) as { id: string; code?: string };
  return { status: response.status, headers: response.headers, body: reply };
}

const ready = () => supertest(service.url).get('/readyz');
const isReady = () =>
  vi.waitFor(async () => expect((await ready()).status).toBe(200), { timeout: 15_000, interval: 100 });

describe('without Redis', () => {
  it('a request without Redis is 503 within a second, and the service recovers with Redis', async () => {
    await redis.kill9();
    const refused = await submitWithin(1000, 'Nowhere to write it');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]/);
    expect(refused.body).toMatchObject({ code: 'store_unavailable', retryable: true });
    for (const path of ['/images', '/images/img_00000000000000000000000000']) {
      const { body } = await service.acme.get(path).expect(503);
      expect(body.code).toBe('store_unavailable');
    }

    await redis.restart();
    const accepted = await vi.waitFor(
      async () => {
        const reply = await submitWithin(1000, 'Written after all');
        expect(reply.status).toBe(202);
        return reply;
      },
      { timeout: 15_000, interval: 100 },
    );
    // Readiness covers the connections that a submission does not use.
    await isReady();
    expect((await service.acme.ended(accepted.body.id)).status).toBe('succeeded');
    expect(imageCalls(service.studio, 'Nowhere to write it')).toEqual([]);
  });

  it('a running job finishes after a Redis outage with one payment', async () => {
    await isReady();
    const { id } = await service.acme.submit({ prompt: 'Through the outage [studio:latency=500]' });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    await redis.kill9();
    await eventually(() => {
      const [call] = imageCalls(service.studio, 'Through the outage');
      expect(call?.endedAt).not.toBeNull();
    });
    await redis.restart();
    await vi.waitFor(() => service.acme.get(`/images/${id}`).expect(200), { timeout: 15_000 });

    const job = await service.acme.ended(id);
    expect(job.status).toBe('succeeded');
    expect(job.attempts.map((attempt) => attempt.state)).toEqual(['stored']);
    expect(imageCalls(service.studio, 'Through the outage')).toHaveLength(1);
  });

  it('/readyz names Redis as unavailable while /livez stays 200, both without a key', async () => {
    await isReady();
    await redis.kill9();
    const { body } = await vi.waitFor(async () => ready().expect(503), { timeout: 10_000 });
    expect(body.status).toBe('unavailable');
    expect(body.checks).toMatchObject({ redis: { ok: false }, storage: { ok: true }, running: { ok: true } });
    expect(body.checks.redis.detail).toMatch(
      /connection records: (socket file not found|connection refused)/,
    );
    await supertest(service.url).get('/livez').expect(200);
    await redis.restart();
    await isReady();
  });
});

describe('a Redis that hangs', () => {
  it('a hanging Redis causes 503 in bounded time, and the service recovers', async () => {
    await isReady();
    redis.pause();
    const refused = await submitWithin(5000, 'Into the void');
    const { body } = await vi.waitFor(async () => ready().expect(503), { timeout: 10_000 });
    await supertest(service.url).get('/livez').expect(200);
    redis.resume();
    await isReady();

    expect(refused.status).toBe(503);
    expect(refused.body.code).toBe('store_unavailable');
    expect(body.checks.redis).toMatchObject({ ok: false });
    const job = await service.acme.generate({ prompt: 'Answered again' });
    expect(job.status).toBe('succeeded');
  });
});

describe('a waiting request when Redis begins to hang', () => {
  it('a waiting submission or retry returns 202 with its id when Redis begins to hang', async () => {
    await isReady();
    const canceled = await service.acme.submit({ prompt: 'Waited for again [studio:latency=5000]' });
    await service.acme.post(`/images/${canceled.id}/cancel`).expect(200);
    await service.acme.ended(canceled.id);
    const wait = { prefer: 'wait=40' };
    const held = [
      submitWithin(30_000, 'Waited for [studio:latency=5000]', wait),
      postWithin(30_000, `/images/${canceled.id}/retry`, { headers: wait }),
    ];
    const bothRun = async () => {
      const { body } = await service.acme.get('/images?status=running').expect(200);
      // A Redis that was killed before may have lost the end of a job of another test, which then runs again.
      const own = body.data.filter(({ request }: ImageJobView) => request.prompt?.startsWith('Waited for'));
      expect(own.map((job: ImageJobView) => job.stage)).toEqual(['generating', 'generating']);
    };
    await vi.waitFor(bothRun, { timeout: 15_000 });
    redis.pause();
    const responses = await Promise.all(held);
    redis.resume();

    for (const { status, headers, body } of responses) {
      expect(status).toBe(202);
      expect(headers.get('location')).toBe(`/images/${body.id}`);
      expect(headers.get('retry-after')).toMatch(/^[1-9]/);
      expect(body).toMatchObject({ status: 'queued', images: [] });
      await vi.waitFor(() => service.acme.get(`/images/${body.id}`).expect(200), { timeout: 15_000 });
      expect((await service.acme.ended(body.id)).status).toBe('succeeded');
    }
  });
});

describe('a job that a hanging Redis stores after its caller received 503', () => {
  it('a job stored after a 503 is canceled unless it has an Idempotency-Key', async () => {
    await isReady();
    redis.pause();
    const key = { 'idempotency-key': 'through-the-pause' };
    const refused = await Promise.all([
      submitWithin(5000, 'Without a known id'),
      submitWithin(5000, 'Under a key', key),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([503, 503]);
    redis.resume();
    await isReady();

    const found = async () => (await service.acme.get('/images').expect(200)).body.data as ImageJobView[];
    const unknown = async () =>
      (await found()).find(({ request }) => request.prompt === 'Without a known id');
    await vi.waitFor(async () => expect((await unknown())?.status).toBe('canceled'), { timeout: 15_000 });
    expect(imageCalls(service.studio, 'Without a known id')).toEqual([]);
    const again = await submitWithin(5000, 'Under a key', key);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await service.acme.ended(again.body.id)).status).toBe('succeeded');
    expect(imageCalls(service.studio, 'Under a key')).toHaveLength(1);
  });
});

describe('a cancel whose message is lost', () => {
  it('a cancel aborts the call although its message is lost', async () => {
    await isReady();
    const { id } = await service.acme.submit({ prompt: 'Lost message [studio:hang]' });
    await jobThat(service.acme, id, (job) => job.stage === 'generating');
    await queryRedis(redis.url, async (client) => {
      let isAnswered = false;
      const reply = service.acme.post(`/images/${id}/cancel`).expect(200);
      const canceled = reply.then(() => {
        isAnswered = true;
      });
      // Subscribers are disconnected until the message has been published.
      while (!isAnswered) await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await canceled;
    });
    const job = await service.acme.ended(id);
    expect(job).toMatchObject({ status: 'canceled', attempts: [{ state: 'uncertain' }] });
    await eventually(() =>
      expect(imageCalls(service.studio, 'Lost message').map((call) => call.aborted)).toEqual([true]),
    );
  });
});

describe('a service that is started while Redis is slow', () => {
  it('a service accepts jobs as soon as its start resolves, even if Redis is slow', async () => {
    redis.pause();
    const starting = startService({ REDIS_URL: redis.url, ROLES: 'api' });
    // Redis resumes only after the service has begun to connect.
    await new Promise(setImmediate);
    redis.resume();
    const fresh = await starting;
    await fresh.acme.submit({ prompt: 'At the first moment' });
    await fresh.close();
  });
});
