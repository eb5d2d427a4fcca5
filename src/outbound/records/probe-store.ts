import { type Cluster, Redis, ReplyError } from 'ioredis';

/**
 * Checks that Redis evicts no key. Does not check the policy if a managed service forbids CONFIG.
 *
 * @throws Error if keys may be evicted.
 */
export async function checkEviction(redis: Redis | Cluster): Promise<void> {
  const node = redis instanceof Redis ? redis : redis.nodes('master')[0];
  const [, policy] = ((await node?.config('GET', 'maxmemory-policy').catch(() => [])) ?? []) as string[];
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(`maxmemory-policy is ${policy}; set it to noeviction, or accepted jobs may vanish`);
  }
}

/** Throws the reason of a failed write. A reply names the cause, but an error of the client names the client's settings. */
export function explainRefusal(cause: unknown): never {
  const refusal = cause instanceof ReplyError ? `refuses writes: ${(cause as Error).message}` : undefined;
  throw new Error(refusal ?? 'cannot be reached', { cause });
}
