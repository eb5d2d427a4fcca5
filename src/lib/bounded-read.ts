import { within } from './within.ts';

/** Function that does optional work in a bounded time. Returns `null` if the work was skipped. */
export type BoundedRead = <T>(work: () => Promise<T>) => Promise<T | null>;

/**
 * Creates a function for work that reads from a dependency and may be left out. After work that took longer than `maxMs`,
 * further work is skipped for `pauseMs`, so that callers in a queue do not wait for the same dependency one after the other.
 *
 * The function rejects if the work takes too long, and with the errors of the work. The work itself continues.
 */
export function createBoundedRead({ maxMs, pauseMs }: { maxMs: number; pauseMs: number }): BoundedRead {
  let skippedUntil = 0;
  return async (work) => {
    if (performance.now() < skippedUntil) return null;
    let isLate = true;
    const done = work().finally(() => {
      isLate = false;
    });
    try {
      return await within(maxMs, done);
    } finally {
      if (isLate) skippedUntil = performance.now() + pauseMs;
    }
  };
}
