import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { noiseImage } from '../support/images.ts';
import { queryRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { scrape } from '../support/scrape.ts';
import { startService, type TestService } from '../support/service.ts';

let redis: TestRedis;
let service: TestService;
beforeAll(async () => {
  redis = await startTestRedis();
  // Enough content that the ordinary fluctuation of the memory is small beside it.
  await queryRedis(redis.url, (client) => client.set('filler', Buffer.alloc(96 * 1024 * 1024)));
  service = await startService({ REDIS_URL: redis.url });
}, 60_000);
afterAll(async () => {
  await service.close();
  await redis.stop();
});

/** Sets the limit of the memory so that the given part of it is used. */
const fillTo = (part: number) =>
  queryRedis(redis.url, async (client) => {
    const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
    await client.config('SET', 'maxmemory', Math.round(used / part));
  });
const limitOff = () => queryRedis(redis.url, (client) => client.config('SET', 'maxmemory', 0));
const submit = () => service.acme.post('/images').send({ prompt: 'A fox', quality: 'low' });
const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 100 });
const untilRefused = () => until(async () => expect((await submit()).body.code).toBe('store_full'));

describe('a Redis whose memory is 95 % full', () => {
  it('takes no new work, while running jobs end, and reads and repeated requests work', async () => {
    const keyed = { prompt: 'A kept fox', quality: 'low' };
    const first = await service.acme.post('/images').set('idempotency-key', 'a').send(keyed).expect(202);
    const running = await service.acme.submit({ prompt: 'Slow [studio:latency=3000]', quality: 'low' });
    const endpoint = { url: 'https://receiver.example/hook' };
    const { body: known } = await service.acme.post('/webhooks/endpoints').send(endpoint).expect(201);
    await fillTo(0.95);
    await untilRefused();

    const refused = await submit().expect(503);
    expect(refused.body).toMatchObject({ code: 'store_full', retryable: true });
    expect(refused.headers['retry-after']).toBe('30');
    const file = await noiseImage(32, 32);
    const upload = await service.acme.post('/uploads').attach('file', file, 'a.png').expect(503);
    const registered = await service.acme.post('/webhooks/endpoints').send(endpoint).expect(503);
    const tested = await service.acme.post(`/webhooks/endpoints/${known.id}/test`).expect(503);
    for (const { body } of [upload, registered, tested]) expect(body.code).toBe('store_full');
    expect((await service.acme.ended(running.id)).status).toBe('succeeded');
    const repeated = await service.acme.post('/images').set('idempotency-key', 'a').send(keyed);
    expect(repeated.body.id).toBe(first.body.id);

    const ready = await fetch(`${service.url}/readyz`);
    expect(ready.status).toBe(200);
    const { checks } = (await ready.json()) as { checks: Record<string, unknown> };
    expect(checks.memory).toMatchObject({ ok: false, detail: expect.stringMatching(/9\d % of maxmemory/) });
    const metrics = await scrape(service.url);
    const part =
      (metrics.value('darkroom_redis_memory_used_bytes') ?? 0) /
      (metrics.value('darkroom_redis_memory_limit_bytes') ?? 1);
    expect(part).toBeGreaterThan(0.9);

    await limitOff();
    await until(async () => expect((await submit()).status).toBe(202));
  });

  it('is an outage and no limit once Redis refuses every write or is down', async () => {
    await fillTo(0.95);
    await untilRefused();
    await redis.refuseWrites(true);
    await until(async () => expect((await submit()).body.code).toBe('store_unavailable'));
    await limitOff();
    await fillTo(0.95);
    await untilRefused();
    await redis.kill9();
    await until(async () => expect((await submit()).body.code).toBe('store_unavailable'));
    await redis.restart();
    await until(async () => expect((await submit()).status).toBe(202));
  });
});
