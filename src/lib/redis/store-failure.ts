import { isRedisOutage } from './redis-errors.ts';

/**
 * Creates a function that runs work on Redis and translates an outage. Every other error passes unchanged, because it is
 * a fault of this service and a retry would not help.
 *
 * @param unavailable creates the error of an outage.
 */
export function createTranslation(
  unavailable: (cause: unknown) => Error,
): <T>(work: () => Promise<T>) => Promise<T> {
  const translate = (error: unknown): never => {
    throw isRedisOutage(error) ? unavailable(error) : error;
  };
  // Not an async function, because every read would pay for one more.
  return (work) => work().catch(translate);
}
