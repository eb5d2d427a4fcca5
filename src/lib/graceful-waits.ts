import { setMaxListeners } from 'node:events';

/** Waits of callers that a stopping process lets end within its grace period. */
export interface GracefulWaits {
  /** Aborts at the end of the grace period. Every wait then has to end. */
  readonly over: AbortSignal;
  /** Begins a wait. Returns a function that ends it. Idempotent. */
  begin(): () => void;
  /** Resolves when no wait is left, or after `graceMs`. In both cases `over` has aborted. */
  drain(graceMs: number): Promise<void>;
}

/** Creates an empty set of waits. */
export function createGracefulWaits(): GracefulWaits {
  const over = new AbortController();
  // The number of listeners is unlimited, because every waiting request listens to the signal.
  setMaxListeners(0, over.signal);
  const waits = new Set<symbol>();
  let notifyEmpty = () => {};
  return {
    over: over.signal,
    begin() {
      const wait = Symbol('wait');
      waits.add(wait);
      return () => {
        waits.delete(wait);
        if (waits.size === 0) notifyEmpty();
      };
    },
    async drain(graceMs) {
      if (waits.size > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, graceMs);
          notifyEmpty = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      over.abort();
    },
  };
}
