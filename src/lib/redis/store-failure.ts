/**
 * Makes a way to run questions to Redis that translates their failure: whatever keeps Redis from answering (down, out of
 * memory, failing over) is one thing to a caller, namely 503 and worth a retry.
 *
 * @param isOurs whether an error is no failure of Redis.
 * @param unavailable creates the error of an outage.
 */
export function createTranslation(
  isOurs: (error: unknown) => boolean,
  unavailable: (cause: unknown) => Error,
): <T>(work: () => Promise<T>) => Promise<T> {
  // A mistake in our own code is not an outage, and a retry would not help.
  const translate = (error: unknown): never => {
    if (isOurs(error) || error instanceof TypeError || error instanceof RangeError) throw error;
    throw unavailable(error);
  };
  // Not an async function, because every read would pay for one more.
  return (work) => work().catch(translate);
}
