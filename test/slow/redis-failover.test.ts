import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedisBehindName } from '../support/redis-failover.ts';
import { startService } from '../support/service.ts';
import { startSteadyLoad } from '../support/steady-load.ts';

const recoversWithinMs = 20_000;

describe('a failover of a Redis behind a name that leaves all connections open', () => {
  it('lets requests and workers continue within 20 s without a restart and loses no job', {
    timeout: 180_000,
  }, async () => {
    const redis = await startRedisBehindName();
    const service = await startService({ REDIS_URL: redis.url, WORKER_CONCURRENCY: '8' });
    onTestFinished(() => service.close());
    for (const round of ['first', 'back']) {
      const load = startSteadyLoad(service.url, `failover-${round}`, {
        prompt: 'Through a failover [studio:latency=400]',
      });
      await load.accepted((_, count) => count === 10);
      const failedAtMs = Date.now();
      await redis.failOver();
      const later = await load.accepted((submission) => submission.sentAtMs > failedAtMs + 2_000);
      const statusOf = async (id: string) => (await service.acme.get(`/images/${id}`)).body.status;
      const limit = { timeout: recoversWithinMs, interval: 100 };
      await expect.poll(() => statusOf(later.id), limit).toBe('succeeded');
      expect(Date.now() - failedAtMs).toBeLessThan(recoversWithinMs);
      await load.stop();
      for (const { id } of load.submissions) await expect.poll(() => statusOf(id), limit).toBe('succeeded');
      const readiness = () => fetch(`${service.url}/readyz`).then(({ status }) => status);
      await expect.poll(readiness, { timeout: 20_000 }).toBe(200);
    }
  });
});
