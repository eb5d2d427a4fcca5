import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../lib/redis/script.ts';

/** Maximum age of a job that a marked retry joins, since its acceptance. */
const retryWindowMs = 30 * 60_000;
/** Maximum time since a job lost its caller for a request without a mark to join the job. */
export const orphanWindowMs = 10 * 60_000;
/** Maximum time since a refusal for a retry to take the place of the refused try. Clients wait at most two minutes. */
const refusalWindowMs = 2 * 60_000;
/** Minimum pause of a client before its first retry. Official SDKs pause for 375 ms at least, then for twice as long. */
const minPauseMs = 300;
/** Official SDKs pause for 6 s at least before late retries. */
const maxMinPauseMs = 4_800;

/**
 * Joins a job or registers a new one. Each job of the group is a field, named by the job's id. Its value is the time of
 * acceptance, the state (`waiting`, `orphan`, `refused`), the time of the state and the holder. The name of a holder is its
 * process, a dot and a number, and for a client that numbers its tries a dot and the number of earlier tries.
 *
 * A request takes the best job, and the youngest of several: first a job that lost its caller, then for a retry the place of
 * a refused try, then for a retry a job whose caller still waits. The last two must be held by an earlier try. A caller that
 * waits for less than the pause that the client makes before the retry may only seem to wait: its end is on the way.
 *
 * KEYS 1 group
 * ARGV 1 id of a new job, 2 now, 3 holder, 4 number of earlier tries, 0 for no retry, 5 retry window, 6 orphan window,
 *      7 refusal window, 8 minimum pause, then for every known process its name and when it died, '-' if it lives
 * Returns {'joined', ID} | {'created'} | {'unknown', PROCESS, ...} if processes must be looked up first | {'early', MS} if
 *   only jobs with a caller fit, after so many milliseconds
 */
const source = `
local now, tries = tonumber(ARGV[2]), tonumber(ARGV[4])
local is_retry = tries > 0
local function process_of(holder) return string.match(holder, '^[^.]+') end
local function tries_of(holder) return tonumber(string.match(holder, '^[^.]+%.[^.]+%.(%d+)$') or 0) end
local retry_from, orphan_from = now - tonumber(ARGV[5]), now - tonumber(ARGV[6])
local refused_from, waiting_until = now - tonumber(ARGV[7]), now - tonumber(ARGV[8])
local died = { [process_of(ARGV[3])] = '-' }
for i = 9, #ARGV, 2 do died[ARGV[i]] = ARGV[i + 1] end
local best, best_rank, best_accepted, unknown, early_ms = nil, 0, nil, { 'unknown' }, nil
local members = redis.call('HGETALL', KEYS[1])
for i = 1, #members, 2 do
  local id = members[i]
  local accepted, state, at, holder = string.match(members[i + 1], '^(%d+) (%S+) (%d+) (%S+)')
  if accepted then
    -- The clock of another process may be ahead.
    accepted, at = tonumber(accepted), math.min(tonumber(at), now)
    local process = process_of(holder)
    local death = state == 'waiting' and died[process]
    if state == 'waiting' and not death then unknown[#unknown + 1] = process end
    local orphaned_at = state == 'orphan' and at or (death and death ~= '-' and tonumber(death))
    local is_recent, is_earlier = accepted >= retry_from, is_retry and tries_of(holder) < tries
    local rank = 0
    if orphaned_at and (orphaned_at >= orphan_from or (is_retry and is_recent)) then rank = 3
    elseif state == 'refused' and is_earlier and at >= refused_from then rank = 2
    elseif state == 'waiting' and is_earlier and is_recent then
      if at <= waiting_until then rank = 1 else early_ms = math.min(early_ms or math.huge, at - waiting_until) end
    elseif (orphaned_at and not is_recent) or (state == 'refused' and at < refused_from) then
      redis.call('HDEL', KEYS[1], id)
    end
    local is_younger = accepted > (best_accepted or 0) or (accepted == best_accepted and id > best)
    if rank > best_rank or (rank > 0 and rank == best_rank and is_younger) then
      best, best_rank, best_accepted = id, rank, accepted
    end
  end
end
if #unknown > 1 then return unknown end
if not best and early_ms then return { 'early', tostring(early_ms) } end
local id = best or ARGV[1]
local accepted = (best_rank == 2 or not best) and now or best_accepted
redis.call('HSET', KEYS[1], id, accepted .. ' waiting ' .. now .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], 3 * tonumber(ARGV[5]))
return best and { 'joined', best } or { 'created' }
`;

/** Records the place of a refused request. The hash expires with the retry window. */
export async function writeRefusal(
  redis: Redis | Cluster,
  { key, jobId, holder, nowMs }: Pick<Claim, 'key' | 'jobId' | 'holder' | 'nowMs'>,
): Promise<void> {
  await redis.hset(key, jobId, `${nowMs} refused ${nowMs} ${holder}`);
  await redis.pexpire(key, 3 * retryWindowMs);
}

type Reply = ['joined', string] | ['created'] | ['unknown', ...string[]] | ['early', string];

interface Claim {
  readonly key: string;
  /** Id of a new job. */
  readonly jobId: string;
  readonly holder: string;
  readonly earlierTries: number;
  readonly nowMs: number;
  /** When each known process died, `-` if it lives. */
  readonly deaths: ReadonlyMap<string, string>;
  /** Part of the pause that the claim has waited already, in milliseconds. */
  readonly waitedMs: number;
}

/** Result of a claim: the claimed job, the processes whose state decides, or the time until the claim can be decided. */
export type Claimed =
  | { readonly jobId: string; readonly isJoined: boolean }
  | { readonly unknown: readonly string[] }
  | { readonly earlyMs: number };

/** Creates the function that claims a job of a group of equal requests. */
export function createClaimJob(redis: Redis | Cluster): (claim: Claim) => Promise<Claimed> {
  const run = createScript(redis, source);
  return async ({ key, jobId, holder, earlierTries, nowMs, deaths, waitedMs }) => {
    const minMs = Math.min(maxMinPauseMs, minPauseMs * 2 ** (earlierTries - 1));
    const pauseMs = Math.max(0, minMs - waitedMs);
    const windows = [retryWindowMs, orphanWindowMs, refusalWindowMs, Math.ceil(pauseMs)];
    const args = [jobId, nowMs, holder, earlierTries, ...windows, ...[...deaths].flat()];
    const reply = (await run([key], args)) as Reply;
    if (reply[0] === 'unknown') return { unknown: reply.slice(1) };
    if (reply[0] === 'early') return { earlyMs: Number(reply[1]) };
    return reply[0] === 'joined' ? { jobId: reply[1], isJoined: true } : { jobId, isJoined: false };
  };
}
