import type { Cluster, Redis } from 'ioredis';
import type { RequestLimits } from '../../domain/ports.ts';
import { type Quota, requestWindowSeconds } from '../../domain/quota.ts';
import { createBatches } from '../../lib/batches.ts';
import type { Keys } from './keys.ts';
import { createTakeRequests, type Taken } from './scripts/take-requests.ts';
import { translated } from './store-errors.ts';

type Limit = Pick<Quota, 'owner' | 'limit'>;
type LimitedCaller = Parameters<RequestLimits['take']>[0];

/** A refusal. No request of the same limits passes before the end of its wait. */
interface Refusal {
  readonly at: number;
  readonly taken: Taken;
}

/** The limits of a key as this process applies them. */
interface Limiter {
  readonly take: (item: undefined) => Promise<Taken>;
  refusal?: Refusal | undefined;
}

const windowMs = requestWindowSeconds * 1000;
/** Maximum number of limiters. Above it, all are replaced, which costs a few calls. */
const maxLimiters = 10_000;

/**
 * Creates the limits of requests per minute. Requests of one key that arrive together share a call of the script. Requests of
 * a refused key are refused without a call until the end of its wait, because no other request can shorten the wait. A flood
 * of one key then costs no time of Redis.
 *
 * @param monotonicMs returns the milliseconds since any fixed moment.
 */
export function createRequestLimits(
  redis: Redis | Cluster,
  keys: Keys,
  monotonicMs: () => number = () => performance.now(),
): RequestLimits {
  const takeRequests = createTakeRequests(redis, windowMs);
  const limiters = new Map<string, Limiter>();

  function limiterOf(caller: LimitedCaller, limits: readonly Limit[]): Limiter {
    const name = `${caller.tenant} ${caller.keyId} ${limits.map((each) => `${each.owner}=${each.limit}`)}`;
    const known = limiters.get(name);
    if (known) return known;
    const named = limits.map((each) => ({
      key: keys.requestRate(caller.tenant, ownerOf(caller, each), each.limit),
      limit: each.limit,
    }));
    const limiter: Limiter = { take: createBatches((items) => takeRequests(named, items.length)) };
    if (limiters.size >= maxLimiters) limiters.clear();
    limiters.set(name, limiter);
    return limiter;
  }

  /** Returns the state of limits that must still wait. */
  function refusedBy({ refusal }: Limiter): Taken | undefined {
    if (!refusal) return undefined;
    const taken = afterPause(refusal.taken, monotonicMs() - refusal.at);
    return taken.waitMs > 0 ? taken : undefined;
  }

  return {
    take: (caller, limits) =>
      translated(async () => {
        const limiter = limiterOf(caller, limits);
        const known = refusedBy(limiter);
        if (known) return stateOf(limits, known);
        // The wait runs from before the call: this process may ask Redis too early, and never refuses longer than Redis would.
        const at = monotonicMs();
        const taken = await limiter.take(undefined);
        limiter.refusal = taken.waitMs > 0 ? { at, taken } : undefined;
        return stateOf(limits, taken);
      }),
  };
}

/** Returns the state of limits after a time in which no request counted. */
function afterPause({ waitMs, limits }: Taken, pauseMs: number): Taken {
  return {
    waitMs: waitMs - pauseMs,
    limits: limits.map(({ remaining, resetMs }) => ({ remaining, resetMs: Math.max(0, resetMs - pauseMs) })),
  };
}

function stateOf(limits: readonly Limit[], { waitMs, limits: states }: Taken) {
  const quotas = limits.map(({ owner, limit }, i): Quota => {
    const { remaining = 0, resetMs = 0 } = states[i] ?? {};
    // A passing request can leave nothing. The next one need not wait until the quota is whole again.
    const nextMs = waitMs > 0 ? waitMs : Math.max(0, resetMs - windowMs + windowMs / limit);
    const ms = remaining > 0 ? resetMs : nextMs;
    return { owner, unit: 'requests', limit, remaining, resetSeconds: Math.ceil(ms / 1000) };
  });
  const violated = waitMs > 0 ? quotas.find(({ remaining }) => remaining === 0) : undefined;
  return violated ? { quotas, refused: { quota: violated, waitMs } } : { quotas };
}

const ownerOf = ({ keyId }: LimitedCaller, { owner }: Limit) => (owner === 'key' ? keyId : 't');
