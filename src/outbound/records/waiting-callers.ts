import type { Cluster, Redis } from 'ioredis';
import type { JobClaim, WaitingCallers } from '../../domain/ports/callers.ts';
import { createScript } from '../../lib/redis/script.ts';
import { idle } from '../../lib/sleep.ts';
import { translated } from './store-errors.ts';

/** Maximum age of a job that a marked retry joins, since its acceptance. */
const retryWindowMs = 30 * 60_000;
/** Maximum time since a job lost its caller for a request without a mark to join the job. */
const orphanWindowMs = 10 * 60_000;
const reportEveryMs = 1_000;
/** Time without a report after which a process may be dead. Requests that depend on it wait for the decision. */
const lateAfterMs = 1_500;
/** Time without a report after which a process counts as dead. */
const deadAfterMs = 8_000;
const lookAgainMs = 250;
const presenceKeptMs = 2 * orphanWindowMs;

/**
 * Joins a job or registers a new one. Each job of the group is a field, named by the job's id. Its value is the time of
 * acceptance, the state (`waiting`, `orphan`), the time of the state and the holder. The name of a holder begins with its
 * process and a dot.
 *
 * KEYS 1 group
 * ARGV 1 id of a new job, 2 now, 3 holder, 4 '1' for a retry, 5 retry window, 6 orphan window, then for every known
 *      process its name and when it died, '-' if it lives
 * Returns {'joined', ID} | {'created'} | {'unknown', PROCESS, ...} if processes must be looked up first
 */
const claimSource = `
local now, is_retry = tonumber(ARGV[2]), ARGV[4] == '1'
local function process_of(holder) return string.match(holder, '^[^.]+') end
local retry_from, orphan_from = now - tonumber(ARGV[5]), now - tonumber(ARGV[6])
local died = { [process_of(ARGV[3])] = '-' }
for i = 7, #ARGV, 2 do died[ARGV[i]] = ARGV[i + 1] end
local best, best_accepted, unknown = nil, nil, { 'unknown' }
local members = redis.call('HGETALL', KEYS[1])
for i = 1, #members, 2 do
  local id = members[i]
  local accepted, state, at, holder = string.match(members[i + 1], '^(%S+) (%S+) (%S+) (%S+)$')
  accepted, at = tonumber(accepted), tonumber(at)
  local process = process_of(holder)
  local death = state == 'waiting' and died[process]
  if state == 'waiting' and not death and not is_retry then unknown[#unknown + 1] = process end
  local orphaned_at = state == 'orphan' and at or (death and death ~= '-' and tonumber(death))
  local fits = (is_retry and accepted >= retry_from) or (orphaned_at and orphaned_at >= orphan_from)
  if fits and (not best or accepted > best_accepted or (accepted == best_accepted and id > best)) then
    best, best_accepted = id, accepted
  elseif orphaned_at and orphaned_at < orphan_from and accepted < retry_from then
    redis.call('HDEL', KEYS[1], id)
  end
end
if #unknown > 1 then return unknown end
local id = best or ARGV[1]
redis.call('HSET', KEYS[1], id, (best_accepted or now) .. ' waiting ' .. now .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], 3 * tonumber(ARGV[5]))
return best and { 'joined', best } or { 'created' }
`;

/**
 * Ends the wait of one holder for a job, unless another one joined the job since.
 *
 * KEYS 1 group. ARGV 1 id, 2 holder, 3 'orphan' or '', 4 now
 */
const releaseSource = `
local member = redis.call('HGET', KEYS[1], ARGV[1])
if not member then return 0 end
local accepted, _, _, holder = string.match(member, '^(%S+) (%S+) (%S+) (%S+)$')
if holder ~= ARGV[2] then return 0 end
if ARGV[3] == '' then return redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('HSET', KEYS[1], ARGV[1], accepted .. ' ' .. ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. holder)
return 1
`;

interface CallerKeys {
  /** Hash of the jobs of equal requests. */
  waitingCallers(tenant: string, group: string): string;
  /** Key of a process. Its remaining TTL shows when the process last reported. */
  presence(process: string): string;
}

type Reply = ['joined', string] | ['created'] | ['unknown', ...string[]];

const deathOf = (silentMs: number, nowMs: number) =>
  silentMs > deadAfterMs ? String(nowMs - silentMs) : '-';

/** Creates the waiting callers in Redis. The presence key of a process outlives the process, to show when it died. */
export function createWaitingCallers(redis: Redis | Cluster, keys: CallerKeys): WaitingCallers {
  const runClaim = createScript(redis, claimSource);
  const runRelease = createScript(redis, releaseSource);

  /**
   * Returns when each process died, `-` if it lives. Waits while a report is late, for seconds at most: a client without a
   * mark retries so soon after the death of a process that it would otherwise pay for another job. Uses the clock of Redis,
   * because the clocks of processes differ.
   */
  async function lookUp(processes: readonly string[], nowMs: number): Promise<[string, string][]> {
    const unique = [...new Set(processes)];
    for (;;) {
      const leftMs = await Promise.all(unique.map((process) => redis.pttl(keys.presence(process))));
      const silentMs = leftMs.map((left) => presenceKeptMs - Math.max(0, left));
      if (!silentMs.some((silent) => silent > lateAfterMs && silent <= deadAfterMs))
        return unique.map((process, i) => [process, deathOf(silentMs[i] ?? presenceKeptMs, nowMs)]);
      await idle(lookAgainMs);
    }
  }

  async function claim(claimed: JobClaim): Promise<{ jobId: string; isJoined: boolean }> {
    const { tenant, group, jobId, holder, isRetry, nowMs } = claimed;
    const known = new Map<string, string>();
    for (;;) {
      const reply = (await runClaim(
        [keys.waitingCallers(tenant, group)],
        [jobId, nowMs, holder, isRetry ? '1' : '0', retryWindowMs, orphanWindowMs, ...[...known].flat()],
      )) as Reply;
      if (reply[0] === 'joined') return { jobId: reply[1], isJoined: true };
      if (reply[0] === 'created') return { jobId, isJoined: false };
      for (const [name, death] of await lookUp(reply.slice(1), nowMs)) known.set(name, death);
    }
  }

  return {
    claim: (claimed) => translated(() => claim(claimed)),
    release: ({ tenant, group, jobId, holder, nowMs }, outcome) =>
      translated(async () => {
        const state = outcome === 'disconnected' ? 'orphan' : '';
        await runRelease([keys.waitingCallers(tenant, group)], [jobId, holder, state, nowMs]);
      }),
  };
}

/** Reports periodically that a process lives. @returns the function that ends the reports. */
export function startPresence(redis: Redis | Cluster, key: string): () => void {
  const report = () => void redis.set(key, '1', 'PX', presenceKeptMs).catch(() => {});
  report();
  const timer = setInterval(report, reportEveryMs);
  return () => clearInterval(timer);
}
