import supertest from 'supertest';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { queryRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { scrape } from '../support/scrape.ts';
import { startService, type TestService } from '../support/service.ts';

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

const ready = () => supertest(service.url).get('/readyz');
const isReady = () =>
  vi.waitFor(async () => expect((await ready()).status).toBe(200), { timeout: 15_000, interval: 100 });

describe('the metrics', () => {
  /** Scrapes until the metrics of the store are present. */
  const whole = () =>
    vi.waitFor(
      async () => {
        const seen = await scrape(service.url);
        expect(seen.value('darkroom_store_up')).toBe(1);
        return seen;
      },
      { timeout: 15_000, interval: 100 },
    );
  const outages: [string, () => void | Promise<void>, () => void | Promise<void>][] = [
    ['is down', () => redis.kill9(), () => redis.restart()],
    ['hangs', () => redis.pause(), () => redis.resume()],
  ];
  it.each(outages)(
    'process metrics stay available while Redis %s, without the metrics of the store',
    async (_outage, begin, end) => {
      const ofTheStore = [
        'darkroom_queue_tasks',
        'darkroom_oldest_job_age_seconds',
        'darkroom_redis_aof_enabled',
        'darkroom_redis_memory_used_bytes',
        'darkroom_redis_memory_limit_bytes',
        'darkroom_ledger_unarchived_age_seconds',
        'darkroom_webhook_deliveries_pending',
        'darkroom_provider_scopes_blocked',
      ];
      const before = await whole();
      expect(ofTheStore.filter((name) => before.names.has(name))).toEqual(ofTheStore);

      await begin();
      const during = await scrape(service.url);
      expect(during.value('darkroom_store_up')).toBe(0);
      expect(ofTheStore.filter((name) => during.names.has(name))).toEqual([]);
      const absent = [...before.names].filter((name) => !during.names.has(name));
      expect(absent.toSorted()).toEqual(ofTheStore.toSorted());
      await end();
      await whole();
    },
  );
});

describe('a Redis that may evict keys', () => {
  it('/readyz reports a Redis that may evict keys, with the remedy', async () => {
    await isReady();
    const setPolicy = (policy: string) =>
      queryRedis(redis.url, async (client) => void (await client.config('SET', 'maxmemory-policy', policy)));
    await setPolicy('allkeys-lru');
    const { body } = await vi.waitFor(async () => ready().expect(503), { timeout: 10_000 });
    await setPolicy('noeviction');
    expect(body.checks.redis.detail).toMatch(/maxmemory-policy.*allkeys-lru.*noeviction/);
    await isReady();
  });
});

describe('a Redis that has no memory left', () => {
  it('/readyz reports a Redis without free memory until Redis accepts writes', async () => {
    await isReady();
    await redis.refuseWrites(true);
    const { body } = await vi.waitFor(async () => ready().expect(503), { timeout: 10_000 });
    await redis.refuseWrites(false);
    expect(body.checks.redis.detail).toContain('refuses writes: out of memory (OOM)');
    await isReady();
  });
});
