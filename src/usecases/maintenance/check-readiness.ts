import { errorRow } from '../../domain/errors.ts';
import type { CircuitBreaker, Clock, ImageStorage } from '../../domain/ports.ts';
import { isAhead } from '../../lib/is-ahead.ts';
import { within } from '../../lib/within.ts';
import { isOfOneTenant } from '../generation/breaker-scopes.ts';

export interface Readiness {
  /** Whether this instance can accept jobs. A rejected provider account or a nearly full store appears in the checks but does not change `ok`. */
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, { ok: boolean; detail: string | null }>>;
}

interface Deps {
  /** Writes to Redis and checks its eviction policy. PING is not enough, because it succeeds while every write fails. */
  checkStore: () => Promise<void>;
  checkDurability: () => Promise<{ ok: boolean; detail: string | null }>;
  /** Checks that the store has room for new work. */
  checkMemory: () => { ok: boolean; detail: string | null };
  storage: Pick<ImageStorage, 'check'>;
  /** Checks the spool. Absent in processes that make no provider calls. */
  checkSpool?: (() => Promise<void>) | undefined;
  breaker: Pick<CircuitBreaker, 'list'>;
  isDraining: () => boolean;
  clock: Clock;
}

/** Result of a check that Redis has to serve, while Redis is down. */
const unchecked = { ok: true, detail: null };

/** Checks that do not change `ok`, because reads and running work do not depend on them. */
const informative: ReadonlySet<string> = new Set(['provider', 'memory']);

/** Lifetime of cached probe results, in milliseconds, so that many load balancers cost no more than one. */
const cacheMs = 2_000;
const probeLimitMs = 1_500;

/** Checks whether this process can work: Redis accepts writes, the storage is reachable, a worker can write
 * to its spool, and no shutdown is in progress. */
export function createCheckReadiness(deps: Deps) {
  let cached: { until: number; result: Promise<Readiness['checks']> } | undefined;

  async function probe(): Promise<Readiness['checks']> {
    const [redis, storage, spool] = await Promise.all([
      attempt(deps.checkStore()),
      attempt(deps.storage.check()),
      deps.checkSpool && attempt(deps.checkSpool()),
    ]);
    // The provider's state is read from Redis, because a probe must not cost money or fail with the provider.
    const [provider, aof] = redis.ok
      ? await Promise.all([attempt(checkBreakers()), deps.checkDurability()])
      : [unchecked, unchecked];
    return { redis, aof, memory: deps.checkMemory(), storage, ...(spool ? { spool } : {}), provider };
  }

  /**
   * @throws Error that names every blocked scope with its reason and the time of the next probe. Everyone can read it, so it
   * names no tenant.
   */
  async function checkBreakers(): Promise<void> {
    const open = (await deps.breaker.list()).filter(({ scope }) => !isOfOneTenant(scope));
    if (open.length === 0) return;
    const texts = open.map(({ scope, code, nextProbeAtMs }) => {
      const at = new Date(nextProbeAtMs).toISOString();
      return `${scope}: ${errorRow(code).title} (${code}), next probe at ${at}`;
    });
    throw new Error(`Blocked: ${texts.join('; ')}`);
  }

  return async (): Promise<Readiness> => {
    const nowMs = deps.clock();
    if (!cached || !isAhead(cached.until, nowMs, cacheMs))
      cached = { until: nowMs + cacheMs, result: probe() };
    const running = deps.isDraining()
      ? { ok: false, detail: 'This instance is shutting down.' }
      : { ok: true, detail: null };
    const checks = { ...(await cached.result), running };
    const needed = Object.entries(checks).filter(([name]) => !informative.has(name));
    return { ok: needed.every(([, check]) => check.ok), checks };
  };
}
export type CheckReadiness = ReturnType<typeof createCheckReadiness>;

async function attempt(work: Promise<void>): Promise<{ ok: boolean; detail: string | null }> {
  try {
    await within(probeLimitMs, work);
    return { ok: true, detail: null };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
