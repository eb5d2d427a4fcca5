import type { Cluster, Redis } from 'ioredis';
import type { PolicyName } from '../../domain/access-policy.ts';
import type { PolicyChanges } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** Number of changes that the log keeps at least. */
const maxChanges = 1_000;
/** Position before the first change. */
const start = '0-0';

/** Creates the log of changed keys and tenants: a stream, so that a process that misses a message still learns of a change. */
export function createPolicyChanges(redis: Redis | Cluster, keys: Keys): PolicyChanges {
  async function latest(): Promise<string> {
    const [entry] = await redis.xrevrange(keys.policyChanges, '+', '-', 'COUNT', 1);
    return entry?.[0] ?? start;
  }
  return {
    read: (after) =>
      translated(async () => {
        if (after === null) return { position: await latest(), changes: [] };
        // The range includes the known entry. If the entry is missing, the log was trimmed, or Redis lost its end.
        const entries = await redis.xrange(keys.policyChanges, after, '+', 'COUNT', maxChanges + 1);
        const isComplete = (after === start || entries[0]?.[0] === after) && entries.length <= maxChanges;
        if (!isComplete) return { position: await latest(), changes: null };
        const changes = entries.flatMap(([id, [, text = '']]) => {
          const changed = id === after ? null : parsePolicyName(text);
          return changed ? [changed] : [];
        });
        return { position: entries.at(-1)?.[0] ?? after, changes };
      }),
  };
}

/** Creates the announcement of a change, to the log first and then to the processes that listen. */
export function createAnnouncePolicy(redis: Redis | Cluster, keys: Keys) {
  return async ({ kind, name }: PolicyName): Promise<void> => {
    const text = `${kind} ${name}`;
    await redis.xadd(keys.policyChanges, 'MAXLEN', '~', maxChanges, '*', 'changed', text);
    await redis.publish(keys.policyChanged, text);
  };
}

/** Returns the record that a message names; `null` for a kind of a newer release. */
export function parsePolicyName(text: string): PolicyName | null {
  const [kind, name = ''] = text.split(' ');
  return kind === 'key' || kind === 'tenant' ? { kind, name } : null;
}
