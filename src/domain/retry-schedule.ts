/**
 * When to try again. Pure functions of the attempt number, what the other side said, and a random number in [0, 1).
 */

/** Seconds after the previous attempt at which a webhook is tried: the schedule Standard Webhooks recommends. */
export const webhookScheduleSeconds: readonly number[] = [
  0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
];

const jitterShare = 0.1;
/** Nobody is waited for longer than this, whatever it asks for. */
export const maxRetryAfterMs = 24 * 3600 * 1000;

/**
 * Delay before the next webhook attempt.
 *
 * @param attemptsMade attempts that already failed, 1 or more.
 * @param retryAfterMs what the receiver asked for, if anything; it can lengthen a delay, never shorten it.
 * @returns milliseconds, or `null` when the schedule is exhausted.
 */
export function webhookDelayMs(
  attemptsMade: number,
  retryAfterMs: number | undefined,
  random: number,
  schedule: readonly number[],
): number | null {
  const seconds = schedule[attemptsMade];
  if (seconds === undefined) return null;
  const scheduled = seconds * 1000 * (1 + jitterShare * random);
  return Math.round(Math.max(scheduled, Math.min(retryAfterMs ?? 0, maxRetryAfterMs)));
}

const backoffBaseMs = 1_000;
const backoffCapMs = 60_000;

/**
 * Delay before a provider is asked again after it provably did not accept a call: what it told us, else
 * exponential, a random time in the upper half of each step ("equal jitter"), capped at a minute.
 *
 * @param failures consecutive refusals so far, 1 or more.
 */
export function providerDelayMs(failures: number, retryAfterMs: number | undefined, random: number): number {
  if (retryAfterMs !== undefined)
    return Math.round(Math.min(retryAfterMs, maxRetryAfterMs) * (1 + 0.05 * random));
  const ceiling = Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(failures - 1, 10));
  return Math.round(ceiling * (0.5 + 0.5 * random));
}

/** Delay before the storage is asked again; storing costs nothing but time, so it starts fast. */
export function storageDelayMs(failures: number, random: number): number {
  return Math.round(Math.min(10_000, 200 * 2 ** Math.min(failures - 1, 10)) * (0.5 + 0.5 * random));
}
