import { AppError } from '../../domain/errors.ts';

/**
 * Runs a Redis command and translates its failure: whatever keeps Redis from answering (down, out of memory, failing
 * over) is one thing to a caller, namely 503 and worth a retry.
 */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A mistake in our own code is not an outage, and trying again would not help.
    if (error instanceof AppError || error instanceof TypeError || error instanceof RangeError) throw error;
    throw new AppError('store_unavailable', {
      detail:
        'The job store is not available. Try again shortly, with the same Idempotency-Key where there is one.',
      retryAfterSeconds: 2,
      cause: error,
    });
  }
}
