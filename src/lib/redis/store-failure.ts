import { AppError } from '../../domain/errors.ts';

/**
 * Makes a way to run questions to Redis that translates their failure: whatever keeps Redis from answering (down, out of
 * memory, failing over) is one thing to a caller, namely 503 and worth a retry.
 *
 * @param detail what is not there, and what to do.
 */
export function createTranslation(detail: string): <T>(work: () => Promise<T>) => Promise<T> {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      // A mistake in our own code is not an outage, and trying again would not help.
      if (error instanceof AppError || error instanceof TypeError || error instanceof RangeError) throw error;
      throw new AppError('store_unavailable', { detail, retryAfterSeconds: 2, cause: error });
    }
  };
}
