/** When a signed link was signed, and until when it works, in epoch milliseconds. */
export interface LinkTimes {
  readonly signedAtMs: number;
  readonly expiresAtMs: number;
}

/** Maximum time for which the links of a file stay the same. */
const maxPeriodMs = 15 * 60_000;

/** Returns the time for which the links of a file stay the same: a quarter of their lifetime, at most 15 minutes. */
export const linkPeriodMs = (lifeSeconds: number): number => Math.min(lifeSeconds * 250, maxPeriodMs);

/**
 * Returns the times of a link that is read at `nowMs`. All links of a file that are read in one period are equal, so that
 * browsers and caches keep its bytes between two reads of a job.
 *
 * @param lifeSeconds lifetime of links. A link works for at least three quarters of it.
 * @param endsAtMs when the file is deleted, which its links never outlive.
 */
export function linkTimes(
  nowMs: number,
  lifeSeconds: number,
  endsAtMs: number = Number.POSITIVE_INFINITY,
): LinkTimes {
  const signedAtMs = nowMs - (nowMs % linkPeriodMs(lifeSeconds));
  return { signedAtMs, expiresAtMs: Math.min(signedAtMs + lifeSeconds * 1000, endsAtMs) };
}
