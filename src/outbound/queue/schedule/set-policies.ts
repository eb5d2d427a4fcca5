import type { Cluster, Redis } from 'ioredis';
import { createScript } from '../../../lib/redis/script.ts';
import { luaSchedule, type ScheduleKeys } from './lua.ts';

/** Rules that the schedule applies to a tenant, or to an API key of a tenant. */
export interface SchedulePolicy {
  readonly tenant: string;
  /** Absent for the rules of the tenant itself. */
  readonly keyId?: string | undefined;
  /** Share of the tenant, 1 to 100. Ignored for a key. */
  readonly weight: number;
  /** Maximum number of scheduled tasks. Absent if unlimited. */
  readonly concurrentJobs?: number | undefined;
}

const pageSize = 100;
/** Maximum number of parked tasks that compete again at once after a limit was raised. The others follow them. */
const maxUnparked = 200;

/**
 * KEYS those of luaSchedule
 * ARGV for each policy: tenant, key or '-', its text or '' for the default, the limit or ''
 */
const source = `${luaSchedule}
for i = 1, #ARGV, 4 do
  local tenant, key, text, limit = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  local owner = key == '-' and tenant or tenant .. ' ' .. key
  if text == '' then
    redis.call('HDEL', policies, owner)
  else
    redis.call('HSET', policies, owner, text)
  end
  if key == '-' then
    if redis.call('SREM', full, tenant) == 1 then join_turns(tenant) end
  else
    redis.call('SREM', unchecked, owner)
    local count = math.min(limit and limit - running_of(owner) or ${maxUnparked}, ${maxUnparked})
    while count > 0 and unpark(tenant, key) do count = count - 1 end
  end
end
`;

/** Returns the owner of a policy, as a field of the hash of policies. */
export const ownerOf = ({ tenant, keyId }: Pick<SchedulePolicy, 'tenant' | 'keyId'>) =>
  keyId === undefined ? tenant : `${tenant} ${keyId}`;

/** Returns the stored text of a policy; '' if it is the default. */
export function textOf({ keyId, weight, concurrentJobs }: SchedulePolicy): string {
  if (keyId !== undefined) return concurrentJobs === undefined ? '' : String(concurrentJobs);
  return weight === 1 && concurrentJobs === undefined ? '' : `${weight} ${concurrentJobs ?? '-'}`;
}

/** Prepares the change of the rules. Tasks that a rule allows now compete again. */
export function createSetPolicies(redis: Redis | Cluster, keys: ScheduleKeys) {
  const run = createScript(redis, source);
  return async (policies: readonly SchedulePolicy[]): Promise<void> => {
    const args = policies.flatMap((policy) => [
      ...[policy.tenant, policy.keyId ?? '-'],
      ...[textOf(policy), policy.concurrentJobs ?? ''],
    ]);
    if (args.length > 0) await run(keys.shared, args);
  };
}

/** Creates the read of owners whose rules are not in the schedule yet. Their tasks wait. */
export function createListUnchecked(redis: Redis | Cluster, keys: ScheduleKeys) {
  return async (): Promise<string[]> => (await redis.srandmember(keys.unchecked, pageSize)) ?? [];
}

/**
 * Creates the read of owners whose rules may have to change: those with rules, and tenants with waiting tasks. Each call
 * returns the next part.
 */
export function createListOwners(redis: Redis | Cluster, keys: ScheduleKeys) {
  let [policyCursor, turnCursor] = ['0', '0'];
  return async (): Promise<ReadonlyMap<string, string>> => {
    const [[nextPolicy, rules], [nextTurn, turns]] = await Promise.all([
      redis.hscan(keys.policies, policyCursor, 'COUNT', pageSize),
      redis.zscan(keys.turns, turnCursor, 'COUNT', pageSize),
    ]);
    [policyCursor, turnCursor] = [nextPolicy, nextTurn];
    const tenants = turns.filter((_, i) => i % 2 === 0);
    const texts = tenants.length > 0 ? await redis.hmget(keys.policies, ...tenants) : [];
    const owners = new Map(tenants.map((tenant, i) => [tenant, texts[i] ?? '']));
    for (let i = 0; i + 1 < rules.length; i += 2) owners.set(rules[i] ?? '', rules[i + 1] ?? '');
    return owners;
  };
}
