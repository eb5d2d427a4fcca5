/** Runs work in a place of its own, see `createSemaphore`. */
export type InPlace = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | null>;

/**
 * A limited number of places for work. Who finds none free waits in order of arrival, and no longer than its signal
 * allows; work that has begun is not broken off.
 *
 * @returns runs work; what it resolves with, or `null` when the signal aborted before there was a place.
 */
export function createSemaphore(count: number): InPlace {
  let free = count;
  const waiting = new Set<() => void>();

  async function take(signal: AbortSignal): Promise<boolean> {
    if (free > 0) {
      free -= 1;
      return true;
    }
    if (signal.aborted) return false;
    return new Promise((resolve) => {
      const settle = (isTaken: boolean) => {
        waiting.delete(enter);
        signal.removeEventListener('abort', leave);
        resolve(isTaken);
      };
      const enter = () => settle(true);
      const leave = () => settle(false);
      waiting.add(enter);
      signal.addEventListener('abort', leave);
    });
  }

  /** A place that somebody waits for is never free in between. */
  function give(): void {
    const [next] = waiting;
    if (next) next();
    else free += 1;
  }

  return async (work, signal) => {
    if (!(await take(signal))) return null;
    try {
      return await work();
    } finally {
      give();
    }
  };
}
