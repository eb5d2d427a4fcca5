import { beforeAll, describe, expect, it } from 'vitest';
import { type EventLog, startEventLog } from '../chaos/ledgers/event-log.ts';
import { eventually } from '../support/eventually.ts';
import { type ReplicatedCluster, startReplicatedCluster } from '../support/redis-cluster.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';
import { type LoadResponse, type SteadyLoad, startSteadyLoad } from '../support/steady-load.ts';

/** Puts the records of the tenant and the queue of webhooks on one master. Losing both together is the worst case. */
const keyPrefix = 'failover';
const nodeTimeoutMs = 1_000;
const recoversWithinMs = 15_000;
const limitMs = 120_000;
let runs = 0;

/** Keys whose slots identify the masters. */
const keys = {
  'the queue of jobs': `{${keyPrefix}-queue-jobs}:jobs:meta`,
  'the records of a tenant': `${keyPrefix}:{acme}:jobs`,
  'the queue of webhooks': `{${keyPrefix}-queue-webhooks}:webhooks:meta`,
} as const;

let cluster: ReplicatedCluster;
let events: EventLog;
let service: TestService;
beforeAll(async () => {
  cluster = await startReplicatedCluster(nodeTimeoutMs);
  const [ofRecords, ofWebhooks] = [keys['the records of a tenant'], keys['the queue of webhooks']];
  expect(await cluster.masterOf(ofRecords)).toBe(await cluster.masterOf(ofWebhooks));
  events = await startEventLog();
  service = await startService({
    REDIS_URL: cluster.url,
    REDIS_CLUSTER: 'true',
    REDIS_KEY_PREFIX: keyPrefix,
    WORKER_CONCURRENCY: '16',
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
  return async () => {
    await service.close();
    await events.close();
    await cluster.stop();
  };
});

/** Kills the master of a key under load, waits until a job submitted after that has ended, and restarts the master. */
async function failOver(load: SteadyLoad, key: string) {
  const master = await cluster.masterOf(key);
  await load.accepted((_, count) => count === 10);
  await master.kill9();
  try {
    const diedAtMs = Date.now();
    await cluster.whenTakenOver(key, master);
    const later = await load.accepted((submission) => submission.sentAtMs > diedAtMs);
    // A read during the failover may get a retryable 503, as every call of the load may.
    const ended = await eventually(() => service.acme.ended(later.id));
    const endedAfterMs = Date.now() - diedAtMs;
    return { ended, acceptedAfterMs: later.acceptedAtMs - diedAtMs, endedAfterMs };
  } finally {
    // The next failover needs a whole cluster even if this one failed.
    await load.stop().finally(() => cluster.bringBack(master));
  }
}

/** Returns whether a response is a success or a retryable 503 with Retry-After. */
function isSuccessOrRetryable({ status, contentType, retryAfter, text }: LoadResponse): boolean {
  if (status < 300) return true;
  const { code, retryable } = JSON.parse(text) as { code: string; retryable: boolean };
  const isProblem = contentType.startsWith('application/problem+json') && retryable;
  return isProblem && status === 503 && code === 'store_unavailable' && Number(retryAfter) > 0;
}

describe.each(Object.keys(keys) as (keyof typeof keys)[])('a cluster whose master of %s dies', (role) => {
  it.each(['the first time', 'after the old master is back'])(
    `a failover of the master of ${role} only delays callers, is over within 15 s, loses no job and pays no image twice: %s`,
    async (time) => {
      const mark = `${role} ${time} ${++runs}`.replaceAll(/[^a-z0-9]+/g, '-');
      const load = startSteadyLoad(service.url, mark, {
        prompt: 'Through a failover [studio:latency=400]',
        webhook: { url: events.url, events: ['image.succeeded'] },
      });
      const { ended, acceptedAfterMs, endedAfterMs } = await failOver(load, keys[role]);

      expect(ended.status).toBe('succeeded');
      expect(acceptedAfterMs).toBeLessThan(recoversWithinMs);
      expect(endedAfterMs).toBeLessThan(recoversWithinMs);
      expect(load.responses.filter((response) => !isSuccessOrRetryable(response))).toEqual([]);
      const internals = /MOVED|CROSSSLOT|CLUSTERDOWN|TRYAGAIN|READONLY/;
      expect(load.responses.filter(({ status, text }) => status >= 300 && internals.test(text))).toEqual([]);

      const jobs = await Promise.all(load.submissions.map(({ id }) => service.acme.ended(id)));
      expect(jobs.filter((job) => job.status !== 'succeeded')).toEqual([]);
      expect(new Set(jobs.map((job) => job.id)).size).toBe(load.submissions.length);
      expect(jobs.filter((job) => job.attempts.length !== 1)).toEqual([]);
      expect(imageCalls(service.studio, mark)).toHaveLength(jobs.length);
      const deliveredEvents = () => jobs.map(({ id }) => events.countsOf(id).size);
      await expect.poll(deliveredEvents, { timeout: 30_000 }).toEqual(jobs.map(() => 1));
    },
    limitMs,
  );
});
