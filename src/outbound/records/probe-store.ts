import { type Cluster, Redis, ReplyError } from 'ioredis';

/**
 * Whether the store can be trusted with jobs: it takes a write (PING is green while every write fails) and does not
 * evict keys. Where CONFIG is forbidden, as on many managed services, the policy is taken on trust.
 *
 * @throws Error saying what is wrong and what to do.
 */
export async function probeStore(redis: Redis | Cluster, keyPrefix: string): Promise<void> {
  await redis.set(`${keyPrefix}:probe`, '1', 'PX', 60_000).catch(inOperatorsWords);
  const node = redis instanceof Redis ? redis : redis.nodes('master')[0];
  const [, policy] = ((await node?.config('GET', 'maxmemory-policy').catch(() => [])) ?? []) as string[];
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(`maxmemory-policy is ${policy}; set it to noeviction, or accepted jobs may vanish`);
  }
}

/** What Redis answers names the cause; what the client says of a connection that is away names its own settings. */
function inOperatorsWords(cause: unknown): never {
  const refusal = cause instanceof ReplyError ? `takes no writes: ${(cause as Error).message}` : undefined;
  throw new Error(refusal ?? 'cannot be reached', { cause });
}
