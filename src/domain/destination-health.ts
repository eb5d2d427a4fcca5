/**
 * How a receiver has been doing: a circuit breaker. After a few failures in a row it is left alone for a while, then one
 * delivery tries; the first success lets everything through again. Pure; times are epoch milliseconds.
 */
export interface DestinationHealth {
  /** Failures since the last success. */
  readonly failures: number;
  /** When the first of them was. */
  readonly failingSince?: number | undefined;
  /** Nothing is sent before this moment. */
  readonly blockedUntil?: number | undefined;
}

export const healthy: DestinationHealth = { failures: 0 };

const breakAfter = 5;
const firstCooldownMs = 15_000;
const maxCooldownMs = 300_000;
/** A receiver that asks for more time gets it, but its other deliveries do not wait for days. */
const longestWishMs = 3_600_000;

/** Whether a receiver has failed so often that one delivery at a time is enough to find out whether it is back. */
export function isBroken(health: DestinationHealth): boolean {
  return health.failures >= breakAfter;
}

/** @param retryAfterMs what the receiver asked for, if anything. */
export function afterFailure(
  health: DestinationHealth,
  nowMs: number,
  retryAfterMs: number | undefined,
): DestinationHealth {
  const failures = health.failures + 1;
  const doublings = failures - breakAfter;
  const cooldownMs =
    doublings < 0 ? 0 : Math.min(maxCooldownMs, firstCooldownMs * 2 ** Math.min(doublings, 10));
  const wishMs = Math.min(retryAfterMs ?? 0, longestWishMs);
  const until = nowMs + Math.max(cooldownMs, wishMs);
  return {
    failures,
    failingSince: health.failingSince ?? nowMs,
    blockedUntil: Math.max(health.blockedUntil ?? 0, until),
  };
}

/** Whether nothing has arrived for so long that sending more makes no sense. */
export function hasFailedFor(health: DestinationHealth, nowMs: number, limitMs: number): boolean {
  return health.failingSince !== undefined && nowMs - health.failingSince >= limitMs;
}
