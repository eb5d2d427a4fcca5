import type { Cluster, Redis } from 'ioredis';
import type { WindowName } from '../../domain/budget-window.ts';
import type { HeldCounter, HeldCounters } from '../../domain/ports.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { fieldOf, ownerOf } from './money-counters.ts';
import { createRemoveOldSpending } from './old-spending.ts';
import { translated } from './store-errors.ts';

/** Time for which a tenant is not compared again, in milliseconds. */
const pauseMs = 240_000;
/** Maximum number of jobs with holds, and of counters, that one step reads. It blocks Redis for some milliseconds. */
const maxJobs = 5_000;
const maxFields = 20_000;

/** KEYS 1 unfinished jobs, 2 ended jobs with a hold, 3 money counters. Returns {ids, {field, amount, ...}} or {} */
const readSource = `
local jobs = redis.call('ZCARD', KEYS[1]) + redis.call('ZCARD', KEYS[2])
if jobs > ${maxJobs} or redis.call('HLEN', KEYS[3]) > ${maxFields} then return {} end
local ids = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do ids[#ids + 1] = id end
local held = {}
local fields = redis.call('HGETALL', KEYS[3])
for i = 1, #fields, 2 do
  if string.sub(fields[i], -5) == '.held' and fields[i + 1] ~= '0' then
    held[#held + 1] = fields[i]
    held[#held + 1] = fields[i + 1]
  end
end
return {ids, held}
`;

/** KEYS 1 money counters. ARGV 1 field, 2 amount that was read, 3 difference. Returns 1 if the counter was changed. */
const repairSource = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '0') ~= ARGV[2] then return 0 end
redis.call('HINCRBY', KEYS[1], ARGV[1], string.format('%.0f', -tonumber(ARGV[3])))
return 1
`;

/** Creates the comparison of held money in Redis. */
export function createHeldCounters(redis: Redis | Cluster, keys: Keys): HeldCounters {
  const read = createScript(redis, readSource);
  const repair = createScript(redis, repairSource);
  const removeOld = createRemoveOldSpending(redis, keys);
  return {
    acquire: (tenant) =>
      translated(async () => (await redis.set(keys.comparison(tenant), '1', 'PX', pauseMs, 'NX')) === 'OK'),
    read: (tenant) =>
      translated(async () => {
        const names = [keys.open(tenant), keys.unsettled(tenant), keys.spend(tenant)];
        const [jobIds, flat] = (await read(names, [])) as [string[]?, string[]?];
        if (!jobIds || !flat) return null;
        const fields = flat.filter((_, i) => i % 2 === 0);
        return { jobIds, counters: fields.flatMap((field, i) => counterOf(field, Number(flat[2 * i + 1]))) };
      }),
    removeOld: (tenant, nowMs) => translated(() => removeOld(tenant, nowMs)),
    repair: (tenant, counter, differenceMicroUsd) =>
      translated(async () => {
        const field = fieldOf(ownerOf(counter.keyId), counter.windowName, 'held');
        const args = [field, String(counter.microUsd), differenceMicroUsd];
        return (await repair([keys.spend(tenant)], args)) === 1;
      }),
  };
}

/** Fields of this release. A newer release may count by further owners and windows, and only it can compare these. */
const heldField = /^(t|key_[^.]+)\.(total|[dwm]\d+)\.held$/;

/** Returns the counter of a field; nothing if only a newer release knows it. */
function counterOf(field: string, microUsd: number): HeldCounter[] {
  const [, owner, windowName] = heldField.exec(field) ?? [];
  if (owner === undefined) return [];
  const keyId = owner === ownerOf(undefined) ? undefined : owner;
  return [{ keyId, windowName: windowName as WindowName, microUsd }];
}
