/**
 * Retry schedules: pure functions of the attempt number, the hint of the other side, and a random number in [0, 1).
 */

/** Seconds between a webhook attempt and the next one: the schedule that Standard Webhooks recommends. */
export const webhookScheduleSeconds: readonly number[] = [
  0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
];

const jitterShare = 0.1;
/** Maximum delay that a hint of the other side can cause, in milliseconds. */
export const maxRetryAfterMs = 24 * 3600 * 1000;

/**
 * Returns the delay before the next webhook attempt.
 *
 * @param attemptsMade attempts that failed, 1 or more.
 * @param options.retryAfterMs hint of the endpoint. It can lengthen a delay, never shorten it.
 * @returns milliseconds, or `null` if the schedule is exhausted.
 */
export function webhookDelayMs(
  attemptsMade: number,
  options: {
    readonly retryAfterMs: number | undefined;
    readonly random: number;
    readonly schedule: readonly number[];
  },
): number | null {
  const { retryAfterMs, random, schedule } = options;
  const seconds = schedule[attemptsMade];
  if (seconds === undefined) return null;
  const scheduled = seconds * 1000 * (1 + jitterShare * random);
  return Math.round(Math.max(scheduled, Math.min(retryAfterMs ?? 0, maxRetryAfterMs)));
}

const backoffBaseMs = 1_000;
/** Maximum time before one call probes a blocked provider scope, in milliseconds. A longer hint does not extend it. */
export const maxProbeIntervalMs = 30_000;

/**
 * Returns the delay before a provider is called again after a failed call: exponential with a random time in the upper half
 * of each step ("equal jitter"), up to 30 s. The provider's hint may lengthen the delay, up to a day, but never shortens it.
 *
 * @param failures consecutive failures so far, 1 or more.
 */
export function providerDelayMs(failures: number, retryAfterMs: number | undefined, random: number): number {
  const ceilingMs = Math.min(maxProbeIntervalMs, backoffBaseMs * 2 ** Math.min(failures - 1, 10));
  const backoffMs = ceilingMs * (0.5 + 0.5 * random);
  const hintMs = Math.min(retryAfterMs ?? 0, maxRetryAfterMs) * (1 + 0.05 * random);
  return Math.round(Math.max(backoffMs, hintMs));
}

/** Returns the delay before the storage is called again. A retry costs only time, so the delays begin short. */
export function storageDelayMs(failures: number, random: number): number {
  return Math.round(Math.min(10_000, 200 * 2 ** Math.min(failures - 1, 10)) * (0.5 + 0.5 * random));
}
