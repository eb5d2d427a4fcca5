import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../lib/redis/script.ts';

/**
 * Ends the wait of one holder for a job, unless another one joined the job since.
 *
 * KEYS 1 group
 * ARGV 1 id, 2 holder, 3 new state, '' to remove the job, 4 now, 5 '1' to release another job that the holder joined
 * Returns 1 if the holder held the job, otherwise 0
 */
const source = `
local function release(id, state)
  local member = redis.call('HGET', KEYS[1], id)
  local accepted, _, _, holder = string.match(member or '', '^(%S+) (%S+) (%S+) (%S+)')
  if holder ~= ARGV[2] then return 0 end
  if state == '' then return redis.call('HDEL', KEYS[1], id) end
  redis.call('HSET', KEYS[1], id, accepted .. ' ' .. state .. ' ' .. ARGV[4] .. ' ' .. holder)
  return 1
end
if ARGV[5] == '1' then
  for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
    if id ~= ARGV[1] then release(id, 'orphan') end
  end
end
return release(ARGV[1], ARGV[3])
`;

interface Release {
  readonly key: string;
  readonly jobId: string;
  readonly holder: string;
  readonly nowMs: number;
  /** State of the job from now on. Empty if the job is to be removed. */
  readonly state: 'orphan' | 'refused' | '';
  /** Whether the holder may have joined another job instead, because the reply of its claim was lost. */
  readonly isUnconfirmed: boolean;
}

/** Creates the function that ends the wait of a holder. It returns whether the holder still held the job. */
export function createReleaseClaim(redis: Redis | Cluster): (release: Release) => Promise<boolean> {
  const run = createScript(redis, source);
  return async ({ key, jobId, holder, nowMs, state, isUnconfirmed }) =>
    (await run([key], [jobId, holder, state, nowMs, isUnconfirmed ? '1' : '0'])) === 1;
}
