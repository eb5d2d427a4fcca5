import { type Cluster, Redis, ReplyError } from 'ioredis';

/**
 * Checks that the store is safe for jobs: it accepts a write (PING succeeds while every write fails) and never evicts keys.
 * If CONFIG is forbidden, as on many managed services, the eviction policy is not checked.
 *
 * @throws Error that names the problem and the action.
 */
export async function probeStore(redis: Redis | Cluster, keyPrefix: string): Promise<void> {
  await redis.set(`${keyPrefix}:probe`, '1', 'PX', 60_000).catch(inOperatorsWords);
  const node = redis instanceof Redis ? redis : redis.nodes('master')[0];
  const [, policy] = ((await node?.config('GET', 'maxmemory-policy').catch(() => [])) ?? []) as string[];
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(`maxmemory-policy is ${policy}; set it to noeviction, or accepted jobs may vanish`);
  }
}

/** A reply of Redis names the cause. The client's own error names its settings instead, so it becomes a plain sentence. */
function inOperatorsWords(cause: unknown): never {
  const refusal = cause instanceof ReplyError ? `takes no writes: ${(cause as Error).message}` : undefined;
  throw new Error(refusal ?? 'cannot be reached', { cause });
}
