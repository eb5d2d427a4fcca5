import type { Cluster, Redis } from 'ioredis';
import type { RequestLimits } from '../../domain/ports.ts';
import { type Quota, requestWindowSeconds } from '../../domain/quota.ts';
import type { Keys } from './keys.ts';
import { createTakeRequests, type Taken } from './scripts/take-requests.ts';
import { translated } from './store-errors.ts';

/** A refusal. No request of the same limits passes before the end of its wait. */
interface Refusal {
  readonly at: number;
  readonly limits: string;
  readonly taken: Taken;
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

  /** Returns the state of the limits of an owner that must still wait. */
  function refusalOf(owner: string, limits: string): Taken | undefined {
    const refusal = refusals.get(owner);
    if (!refusal) return undefined;
    const taken = afterPause(refusal.taken, monotonicMs() - refusal.at);
    if (taken.waitMs > 0 && refusal.limits === limits) return taken;
    refusals.delete(owner);
    return undefined;
  }

  return {
    take: (caller, limits) =>
      translated(async () => {
        const owner = `${caller.tenant} ${caller.keyId}`;
        const text = limits.map((each) => `${each.owner}=${each.limit}`).join(' ');
        const known = refusalOf(owner, text);
        if (known) return stateOf(limits, known);
        const taken = await take(
          limits.map((each) => ({
            key: keys.requestRate(caller.tenant, ownerOf(caller, each), each.limit),
            limit: each.limit,
          })),
        );
        if (taken.waitMs > 0) {
          if (refusals.size >= maxRefusals) refusals.clear();
          refusals.set(owner, { at: monotonicMs(), limits: text, taken });
        }
        return stateOf(limits, taken);
      }),
  };
}

/** Returns the state of limits after a time in which no request counted. */
function afterPause({ waitMs, limits }: Taken, pauseMs: number): Taken {
  return {
    waitMs: waitMs - pauseMs,
    limits: limits.map((each) => ({ ...each, resetMs: Math.max(0, each.resetMs - pauseMs) })),
  };
}

function stateOf(limits: readonly Pick<Quota, 'owner' | 'limit'>[], { waitMs, limits: states }: Taken) {
  const quotas = limits.map((each, i): Quota => {
    const { remaining = 0, resetMs = 0 } = states[i] ?? {};
    const ms = waitMs > 0 && remaining === 0 ? waitMs : resetMs;
    return { ...each, unit: 'requests', remaining, resetSeconds: Math.ceil(ms / 1000) };
  });
  const violated = waitMs > 0 ? quotas.find(({ remaining }) => remaining === 0) : undefined;
  return violated ? { quotas, refused: { quota: violated, waitMs } } : { quotas };
}

const ownerOf = ({ keyId }: { readonly keyId: string }, { owner }: Pick<Quota, 'owner'>) =>
  owner === 'key' ? keyId : 't';
