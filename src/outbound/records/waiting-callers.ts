import type { Cluster, Redis } from 'ioredis';
import type { DeliveryOutcome, JobClaim, Waiter, WaitingCallers } from '../../domain/ports/callers.ts';
import { idle } from '../../lib/sleep.ts';
import { createClaimJob, orphanWindowMs, writeRefusal } from './scripts/claim-job.ts';
import { createReleaseClaim } from './scripts/release-claim.ts';
import { translated } from './store-errors.ts';

const reportEveryMs = 1_000;
/** Time without a report after which a process counts as dead. */
const deadAfterMs = 8_000;
const lookAgainMs = 250;
const presenceKeptMs = 2 * orphanWindowMs;
/** Retention of the waiters of a job. No caller waits for that long. */
const waitersKeptMs = 7 * 24 * 3_600_000;

interface CallerKeys {
  /** Hash of the jobs of equal requests. */
  waitingCallers(tenant: string, group: string): string;
  /** Set of the holders that wait for a job. */
  waitersOf(tenant: string, name: string): string;
  /** Key of a process. Its remaining TTL shows when the process last reported. */
  presence(process: string): string;
}

const deathOf = (silentMs: number, nowMs: number) =>
  silentMs > deadAfterMs ? String(nowMs - silentMs) : '-';

/** Returns the stored name of a holder. It ends with the number of earlier tries if the client numbers its tries. */
const holderName = ({ holder, earlierTries }: Pick<JobClaim, 'holder' | 'earlierTries'>) =>
  earlierTries === undefined ? holder : `${holder}.${earlierTries}`;

/** Returns the state of a job after a wait. Only a client that numbers its tries can claim the place of a refused try. */
function stateAfter(outcome: DeliveryOutcome, isNumbered: boolean): 'orphan' | 'refused' | '' {
  if (outcome === 'disconnected') return 'orphan';
  return outcome === 'deferred' && isNumbered ? 'refused' : '';
}

/** Creates the waiting callers in Redis. The presence key of a process outlives the process, to show when it died. */
export function createWaitingCallers(redis: Redis | Cluster, keys: CallerKeys): WaitingCallers {
  const claimJob = createClaimJob(redis);
  const releaseClaim = createReleaseClaim(redis);

  /**
   * Returns when each process died, `-` if it lives. For a request without a mark, it waits for the next report of each
   * process, a second at most if it lives: such a client may repeat its request at once after the death of the process that
   * served it, and would otherwise pay for another job. Uses the clock of Redis, because the clocks of processes differ.
   */
  async function lookUp(
    processes: readonly string[],
    { nowMs, isRetry }: { readonly nowMs: number; readonly isRetry: boolean },
  ): Promise<[string, string][]> {
    const unique = [...new Set(processes)];
    const startedMs = performance.now();
    for (;;) {
      const leftMs = await Promise.all(unique.map((process) => redis.pttl(keys.presence(process))));
      const silentMs = leftMs.map((left) => presenceKeptMs - Math.max(0, left));
      const waitedMs = performance.now() - startedMs;
      const isOpen = silentMs.some((silent) => silent > waitedMs && silent <= deadAfterMs);
      if (!isOpen || isRetry)
        return unique.map((process, i) => [process, deathOf(silentMs[i] ?? presenceKeptMs, nowMs)]);
      await idle(lookAgainMs);
    }
  }

  async function claim(claimed: JobClaim): Promise<{ jobId: string; isJoined: boolean }> {
    const { tenant, group, jobId, earlierTries = 0 } = claimed;
    const deaths = new Map<string, string>();
    const key = keys.waitingCallers(tenant, group);
    const holder = holderName(claimed);
    let waitedMs = 0;
    for (;;) {
      const nowMs = claimed.nowMs + waitedMs;
      const reply = await claimJob({ key, jobId, holder, earlierTries, nowMs, deaths, waitedMs });
      if ('jobId' in reply) return reply;
      if ('earlyMs' in reply) {
        await idle(reply.earlyMs);
        waitedMs += reply.earlyMs;
        deaths.clear();
        continue;
      }
      const found = await lookUp(reply.unknown, { nowMs, isRetry: earlierTries > 0 });
      for (const [name, death] of found) deaths.set(name, death);
    }
  }

  async function leave({ tenant, name, holder }: Waiter): Promise<number> {
    const key = keys.waitersOf(tenant, name);
    await redis.srem(key, holder);
    const processes = (await redis.smembers(key)).map((each) => each.split('.', 1)[0] ?? '');
    const deaths = new Map(await lookUp(processes, { nowMs: 0, isRetry: false }));
    return processes.filter((process) => deaths.get(process) === '-').length;
  }

  return {
    enter: ({ tenant, name, holder }) =>
      translated(async () => {
        const key = keys.waitersOf(tenant, name);
        await redis.sadd(key, holder);
        await redis.pexpire(key, waitersKeptMs);
      }),
    leave: (waiter) => translated(() => leave(waiter)),
    claim: (claimed) => translated(() => claim(claimed)),
    defer: (claimed) =>
      translated(async () => {
        if (claimed.earlierTries === undefined) return;
        const { tenant, group, jobId, nowMs } = claimed;
        const key = keys.waitingCallers(tenant, group);
        await writeRefusal(redis, { key, jobId, holder: holderName(claimed), nowMs });
      }),
    release: (claimed, outcome, { isUnconfirmed = false } = {}) =>
      translated(() =>
        releaseClaim({
          key: keys.waitingCallers(claimed.tenant, claimed.group),
          jobId: claimed.jobId,
          holder: holderName(claimed),
          nowMs: claimed.nowMs,
          state: stateAfter(outcome, claimed.earlierTries !== undefined),
          isUnconfirmed,
        }),
      ),
  };
}

/** Reports periodically that a process lives. @returns the function that ends the reports. */
export function startPresence(redis: Redis | Cluster, key: string): () => void {
  const report = () => void redis.set(key, '1', 'PX', presenceKeptMs).catch(() => {});
  report();
  const timer = setInterval(report, reportEveryMs);
  return () => clearInterval(timer);
}
