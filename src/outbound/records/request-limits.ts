import type { Cluster, Redis } from 'ioredis';
import type { RequestLimits } from '../../domain/ports.ts';
import { type Quota, requestWindowSeconds } from '../../domain/quota.ts';
import type { Keys } from './keys.ts';
import { createTakeRequests } from './scripts/take-requests.ts';
import { translated } from './store-errors.ts';

/** A refusal that is still valid: no request of the same limits passes before its end. */
interface Refusal {
  readonly until: number;
  readonly limits: string;
  readonly quotas: readonly Quota[];
  readonly violated: Quota;
}

const maxRefusals = 10_000;

/**
 * Creates the limits of requests per minute. Requests of a refused key are refused without a call until the end of its wait,
 * because no other request can shorten the wait. A flood of one key then costs no time of Redis.
 *
 * @param monotonicMs returns the milliseconds since any fixed moment.
 */
export function createRequestLimits(
  redis: Redis | Cluster,
  keys: Keys,
  monotonicMs: () => number = () => performance.now(),
): RequestLimits {
  const take = createTakeRequests(redis, requestWindowSeconds * 1000);
  const refusals = new Map<string, Refusal>();

  function refusalOf(owner: string, limits: string) {
    const refusal = refusals.get(owner);
    if (!refusal) return undefined;
    const waitMs = refusal.until - monotonicMs();
    if (waitMs > 0 && refusal.limits === limits) return { ...refusal, waitMs };
    refusals.delete(owner);
    return undefined;
  }

  return {
    take: (caller, limits) =>
      translated(async () => {
        const owner = `${caller.tenant} ${caller.keyId}`;
        const text = limits.map((each) => `${each.owner}=${each.limit}`).join(' ');
        const known = refusalOf(owner, text);
        if (known) return { quotas: known.quotas, refused: { quota: known.violated, waitMs: known.waitMs } };
        const taken = await take(
          limits.map((each) => ({
            key: keys.requestRate(caller.tenant, ownerOf(caller, each), each.limit),
            limit: each.limit,
          })),
        );
        const quotas = limits.map((each, i): Quota => {
          const { remaining = 0, resetMs = 0 } = taken.limits[i] ?? {};
          const isViolated = taken.waitMs > 0 && remaining === 0;
          const ms = isViolated ? taken.waitMs : resetMs;
          return { ...each, unit: 'requests', remaining, resetSeconds: Math.ceil(ms / 1000) };
        });
        const violated = taken.waitMs > 0 ? quotas.find(({ remaining }) => remaining === 0) : undefined;
        if (!violated) return { quotas };
        if (refusals.size >= maxRefusals) refusals.clear();
        refusals.set(owner, { until: monotonicMs() + taken.waitMs, limits: text, quotas, violated });
        return { quotas, refused: { quota: violated, waitMs: taken.waitMs } };
      }),
  };
}

const ownerOf = ({ keyId }: { readonly keyId: string }, { owner }: Pick<Quota, 'owner'>) =>
  owner === 'key' ? keyId : 't';
