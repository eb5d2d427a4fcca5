import { beforeAll, describe, expect, it } from 'vitest';
import { type EventLog, startEventLog } from '../chaos/ledgers/event-log.ts';
import { type ReplicatedCluster, startReplicatedCluster } from '../support/redis-cluster.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls } from '../support/service-environment.ts';
import { type LoadResponse, type SteadyLoad, startSteadyLoad } from '../support/steady-load.ts';

/** Puts the records of the tenant and the queue of webhooks on one master: it is hardest for both to lose it together. */
const keyPrefix = 'failover';
const nodeTimeoutMs = 1_000;
const goesOnWithinMs = 15_000;
const limitMs = 120_000;

/** Keys by whose slot the masters are told apart. */
const places = {
  'the queue of jobs': `{${keyPrefix}-queue-jobs}:jobs:meta`,
  'the records of a tenant': `${keyPrefix}:{acme}:jobs`,
  'the queue of webhooks': `{${keyPrefix}-queue-webhooks}:webhooks:meta`,
} as const;

let cluster: ReplicatedCluster;
let events: EventLog;
let service: TestService;
beforeAll(async () => {
  cluster = await startReplicatedCluster(nodeTimeoutMs);
  const [ofRecords, ofWebhooks] = [places['the records of a tenant'], places['the queue of webhooks']];
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

/**
 * Kills the master of a key under load, stops the load once a job that was ordered after that has ended, and brings the
 * dead one back.
 */
async function failOver(load: SteadyLoad, key: string) {
  const master = await cluster.masterOf(key);
  await load.accepted((_, count) => count === 10);
  await master.kill9();
  const diedAtMs = Date.now();
  await cluster.isTakenOver(key, master);
  const later = await load.accepted((generate) => generate.sentAtMs > diedAtMs);
  const ended = await service.acme.ended(later.id);
  const endedAfterMs = Date.now() - diedAtMs;
  await load.stop();
  await cluster.bringBack(master);
  return { ended, acceptedAfterMs: later.acceptedAtMs - diedAtMs, endedAfterMs };
}

/** What a caller may see: what was asked for, or a problem that says by itself that coming again helps. */
function isSuccessOrComeAgain({ status, contentType, retryAfter, text }: LoadResponse): boolean {
  if (status < 300) return true;
  const { code, retryable } = JSON.parse(text) as { code: string; retryable: boolean };
  const isProblem = contentType.startsWith('application/problem+json') && retryable;
  return isProblem && status === 503 && code === 'store_unavailable' && Number(retryAfter) > 0;
}

describe.each(Object.keys(places) as (keyof typeof places)[])(
  'a cluster whose master of %s dies',
  (place) => {
    it.each(['the first time', 'again, once the dead one is back'])(
      'shows callers nothing of it but a wait, goes on within 15 s, loses nothing and pays nothing twice: %s',
      async (time) => {
        const mark = `${place} ${time}`.replaceAll(/[^a-z]+/g, '-');
        const load = startSteadyLoad(service.url, mark, {
          prompt: 'Through a failover [studio:latency=400]',
          webhook: { url: events.url, events: ['image.succeeded'] },
        });
        const { ended, acceptedAfterMs, endedAfterMs } = await failOver(load, places[place]);

        expect(ended.status).toBe('succeeded');
        expect(acceptedAfterMs).toBeLessThan(goesOnWithinMs);
        expect(endedAfterMs).toBeLessThan(goesOnWithinMs);
        expect(load.responses.filter((response) => !isSuccessOrComeAgain(response))).toEqual([]);
        const talk = /MOVED|CROSSSLOT|CLUSTERDOWN|TRYAGAIN|READONLY/;
        expect(load.responses.filter(({ status, text }) => status >= 300 && talk.test(text))).toEqual([]);

        const jobs = await Promise.all(load.submissions.map(({ id }) => service.acme.ended(id)));
        expect(jobs.filter((job) => job.status !== 'succeeded')).toEqual([]);
        expect(new Set(jobs.map((job) => job.id)).size).toBe(load.submissions.length);
        expect(jobs.filter((job) => job.attempts.length !== 1)).toEqual([]);
        expect(imageCalls(service.studio, mark)).toHaveLength(jobs.length);
        const eventWritten = () => jobs.map(({ id }) => events.countsOf(id).size);
        await expect.poll(eventWritten, { timeout: 30_000 }).toEqual(jobs.map(() => 1));
      },
      limitMs,
    );
  },
);
