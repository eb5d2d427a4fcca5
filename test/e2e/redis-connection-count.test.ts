import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { queryRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { startService } from '../support/service.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
  return redis.stop;
});

/** Returns the number of connections, without the one that counts them. */
const connections = () =>
  queryRedis(
    redis.url,
    async (client) =>
      String(await client.client('LIST'))
        .trim()
        .split('\n').length - 1,
  );

// docs/operating.md states these numbers, so that operators can plan `maxclients`.
it.each([
  ['all', 7],
  ['worker', 6],
  ['webhooks', 5],
  ['api', 3],
])('a process with the role %s opens %i connections to Redis', async (ROLES, count) => {
  await expect.poll(connections, { timeout: 10_000 }).toBe(0);
  const service = await startService({ REDIS_URL: redis.url, ROLES });
  onTestFinished(service.close);
  const readiness = () => fetch(`${service.url}/readyz`).then(({ status }) => status);
  await expect.poll(readiness, { timeout: 20_000, interval: 100 }).toBe(200);
  expect(await connections()).toBe(count);
});
