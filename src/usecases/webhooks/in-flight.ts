import type { Clock } from '../../domain/ports.ts';

/** In-flight operations by name. */
export interface InFlight {
  /** Starts an operation. If it fails, `onFault` is called before the operation leaves the list. */
  start(name: string, operation: () => Promise<void>): void;
  /** Returns a copy of the current names. */
  names(): ReadonlySet<string>;
  size(): number;
  /** Returns the start time of the oldest operation; `undefined` if there is none. */
  oldestStartMs(): number | undefined;
  /** Resolves when the next operation ends, or after the timeout. Never rejects. One caller at a time. */
  nextEnd(timeoutMs?: number): Promise<void>;
}

/** Tracks in-flight operations by name. */
export function createInFlight(clock: Clock, onFault: (error: unknown) => void): InFlight {
  /** Start times, oldest first. */
  const startedAt = new Map<string, number>();
  // One callback instead of a race over all operations: each race would leave a listener on every hanging one.
  let notifyEnd = () => {};

  return {
    start(name, operation) {
      startedAt.set(name, clock());
      operation()
        .catch(onFault)
        .finally(() => {
          startedAt.delete(name);
          notifyEnd();
        });
    },
    names: () => new Set(startedAt.keys()),
    size: () => startedAt.size,
    oldestStartMs: () => startedAt.values().next().value,
    async nextEnd(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        notifyEnd = resolve;
        if (timeoutMs !== undefined) timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
    },
  };
}
