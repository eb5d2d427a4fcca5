import { sleep } from '../../lib/sleep.ts';
import { TransientError } from './call-errors.ts';

/** Total time for retries. It exceeds a restart of the service or of its proxy. */
const timeoutMs = 60_000;
const minPauseMs = 250;
const maxPauseMs = 5_000;

/**
 * Retries work that fails with TransientError, with growing pauses, for at most a minute.
 *
 * @param say prints the first failure, so that the user knows why the command waits.
 * @throws the last TransientError after a minute, and every other error at once.
 */
export async function withRetry<T>(work: () => Promise<T>, say: (line: string) => void): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (let pauseMs = minPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    try {
      return await work();
    } catch (error) {
      const waitMs = error instanceof TransientError ? Math.max(pauseMs, error.retryAfterMs) : Infinity;
      if (Date.now() + waitMs > endMs) throw error;
      if (pauseMs === minPauseMs) say(`${(error as Error).message}. Retrying.`);
      await sleep(waitMs);
    }
  }
}
