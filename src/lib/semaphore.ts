/** Function that runs work in a slot of a semaphore, see `createSemaphore`. */
export type InPlace = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | null>;

/**
 * Creates a semaphore with `count` slots. Callers without a slot wait in order of arrival until their signal aborts. The
 * signal does not interrupt running work.
 *
 * @returns a function that runs work in a slot. It resolves with the result, or with `null` if the signal aborted before a
 *   slot was free.
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

  /** Passes the slot directly to the next waiting caller, so that no other caller can acquire it first. */
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
