import { createTranslation } from '../../lib/redis/store-failure.ts';

/** Runs a command on the records and translates its failure. */
export const translated = createTranslation(
  'The job store is not available. Try again shortly, with the same Idempotency-Key where there is one.',
);
