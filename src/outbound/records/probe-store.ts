import { type Cluster, type Redis, ReplyError } from 'ioredis';
import { primariesOf } from './primaries.ts';

/**
 * Checks that Redis evicts no key, on every primary of a cluster. Does not check the policy if a managed service forbids
 * CONFIG.
 *
 * @throws Error if keys may be evicted.
 */
export async function checkEviction(redis: Redis | Cluster): Promise<void> {
  const policies = await Promise.all(primariesOf(redis).map(readPolicy));
  const policy = policies.find((each) => each !== undefined && each !== 'noeviction');
  if (policy !== undefined) {
    throw new Error(`maxmemory-policy is ${policy}; set it to noeviction, or accepted jobs may vanish`);
  }
}

async function readPolicy(node: Redis): Promise<string | undefined> {
  const [, policy] = (await node.config('GET', 'maxmemory-policy').catch(() => [])) as string[];
  return policy;
}

/** Throws the reason of a failed write. A reply names the cause, but an error of the client names the client's settings. */
export function explainRefusal(cause: unknown): never {
  const refusal = cause instanceof ReplyError ? `refuses writes: ${(cause as Error).message}` : undefined;
  throw new Error(refusal ?? 'cannot be reached', { cause });
}
