import { sleep } from './deadline.ts';
import { DarkroomError } from './errors.ts';

/** A failure that will be retried. */
export interface Retry {
  readonly error: DarkroomError;
  /** Number of failures so far, from 1. */
  readonly attempt: number;
  /** Pause before the next attempt. */
  readonly delayMs: number;
}

export interface RetryPolicy {
  /** Maximum time for the retries of a call, from its first failure: one attempt may already take longer. */
  readonly retryForMs: number;
  /** Called before every retry. An error that it throws ends the call. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

const minPauseMs = 250;
const maxPauseMs = 5_000;

/**
 * Repeats work that fails with a retryable error, with growing pauses that are never shorter than Retry-After.
 *
 * @param work gets the number of failures so far.
 * @throws the last error when the time is over, and every other error at once.
 */
export async function withRetry<T>(
  work: (failures: number) => Promise<T>,
  { retryForMs, onRetry }: RetryPolicy,
  signal?: AbortSignal | null,
): Promise<T> {
  let endMs: number | undefined;
  for (let failures = 0; ; ) {
    try {
      return await work(failures);
    } catch (error) {
      if (!(error instanceof DarkroomError)) throw error;
      error.attempts = failures + 1;
      if (!error.retryable) throw error;
      const pauseMs = Math.min(minPauseMs * 2 ** failures, maxPauseMs);
      // Clients that failed together must not return together.
      const delayMs = Math.max(error.retryAfterMs, pauseMs * (0.75 + Math.random() / 2));
      // A step of the clock must not end the retries, or prolong them.
      const nowMs = performance.now();
      endMs ??= nowMs + retryForMs;
      if (nowMs + delayMs > endMs) throw error;
      failures += 1;
      onRetry?.({ error, attempt: failures, delayMs });
      await sleep(delayMs, signal);
    }
  }
}
