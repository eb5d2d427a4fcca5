import { AppError } from '../../domain/errors.ts';
import { createTranslation } from '../../lib/redis/store-failure.ts';

/** Runs a command on the records. @throws AppError `store_unavailable` during an outage of Redis. */
export const translated = createTranslation(
  (cause) =>
    new AppError('store_unavailable', {
      detail: 'The job store is not available. Retry shortly, with the same Idempotency-Key if you sent one.',
      retryAfterSeconds: 2,
      cause,
    }),
);
