import type { Clock, ImageStorage } from '../domain/ports.ts';

export interface Readiness {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, { ok: boolean; detail: string | null }>>;
}

interface Deps {
  /** A write to Redis and a look at its eviction policy; PING is green while every write fails. */
  probeStore: () => Promise<void>;
  storage: ImageStorage;
  isDraining: () => boolean;
  clock: Clock;
}

/** Probes are cached this long, so that many load balancers cost no more than one. */
const cacheMs = 2_000;
const probeLimitMs = 1_500;

/** Whether this process can do its work: Redis takes writes, the storage is reachable, nobody is stopping it. */
export function createCheckReadiness(deps: Deps) {
  let cached: { until: number; result: Promise<Readiness['checks']> } | undefined;

  async function probe(): Promise<Readiness['checks']> {
    const [redis, storage] = await Promise.all([attempt(deps.probeStore()), attempt(deps.storage.check())]);
    return { redis, storage };
  }

  return async (): Promise<Readiness> => {
    const nowMs = deps.clock();
    if (!cached || cached.until <= nowMs) cached = { until: nowMs + cacheMs, result: probe() };
    const running = deps.isDraining()
      ? { ok: false, detail: 'This instance is shutting down.' }
      : { ok: true, detail: null };
    const checks = { ...(await cached.result), running };
    return { ok: Object.values(checks).every((check) => check.ok), checks };
  };
}
export type CheckReadiness = ReturnType<typeof createCheckReadiness>;

async function attempt(work: Promise<void>): Promise<{ ok: boolean; detail: string | null }> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('did not answer in time')), probeLimitMs);
  });
  try {
    await Promise.race([work, limit]);
    return { ok: true, detail: null };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
