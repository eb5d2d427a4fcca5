import { expect, it, onTestFinished } from 'vitest';
import type { RedisClient } from '../../src/lib/redis/redis.ts';
import { eventually } from '../support/eventually.ts';
import { queryRedis } from '../support/redis.ts';
import { startServiceIn } from '../support/service.ts';
import { createEnvironment, imageCalls, type TestEnvironment } from '../support/service-environment.ts';

async function keysOf(redis: RedisClient, { env }: TestEnvironment): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, page] = await redis.scan(cursor, 'MATCH', `*${env.REDIS_KEY_PREFIX}*`);
    found.push(...page);
    cursor = next;
  } while (cursor !== '0');
  return found;
}

/** Reads all data of the deployment. Returns the function that restores it, as a replica does that missed later writes. */
async function takeSnapshot(environment: TestEnvironment): Promise<() => Promise<void>> {
  const onRedis = <T>(work: (redis: RedisClient) => Promise<T>) =>
    queryRedis(environment.env.REDIS_URL ?? '', work);
  const entries = await onRedis(async (redis) =>
    Promise.all(
      (await keysOf(redis, environment)).map(async (key) => {
        const [value, ttlMs] = await Promise.all([redis.dumpBuffer(key), redis.pttl(key)]);
        return { key, value, ttlMs: Math.max(0, ttlMs) };
      }),
    ),
  );
  return () =>
    onRedis(async (redis) => {
      await redis.unlink(...(await keysOf(redis, environment)));
      for (const { key, value, ttlMs } of entries) if (value) await redis.restore(key, ttlMs, value);
    });
}

it('an image that was stored before Redis lost the last writes is used again, and not paid again', async () => {
  const environment = await createEnvironment();
  onTestFinished(() => environment.remove());
  const prompt = 'Lost writes [studio:latency=1500]';
  const first = await startServiceIn(environment);
  const { id } = await first.acme.submit({ prompt });
  await eventually(async () => {
    expect(imageCalls(environment.studio, 'Lost writes')).toHaveLength(1);
  });
  const restore = await takeSnapshot(environment);
  const before = await first.acme.ended(id);
  expect(before).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
  await first.close();
  await restore();

  const second = await startServiceIn(environment);
  try {
    expect(await second.acme.ended(id)).toMatchObject({
      status: 'succeeded',
      images: [{ sha256: before.images[0]?.sha256, width: 1024, height: 1024 }],
      attempts: [{ state: 'stored', cost_micro_usd: null }],
    });
    expect(imageCalls(environment.studio, 'Lost writes')).toHaveLength(1);
  } finally {
    await second.close();
  }
});
