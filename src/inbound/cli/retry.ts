import { sleep } from '../../lib/sleep.ts';
import { TransientError } from './call-errors.ts';

/** Longer than a restart of the service or of what stands before it. */
const timeoutMs = 60_000;
const shortestPauseMs = 250;
const longestPauseMs = 5_000;

/**
 * Does the work again while passing trouble keeps it from succeeding, with growing pauses and for a minute at most.
 *
 * @param say is told the first trouble, so that nobody watches a silent command.
 * @throws whatever else the work throws, at once; the last trouble when the patience is at its end.
 */
export async function withRetry<T>(work: () => Promise<T>, say: (line: string) => void): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      const waitMs = error instanceof TransientError ? Math.max(pauseMs, error.awayMs) : Infinity;
      if (Date.now() + waitMs > endMs) throw error;
      if (pauseMs === shortestPauseMs) say(`${(error as Error).message}; trying again`);
      await sleep(waitMs);
    }
  }
}
