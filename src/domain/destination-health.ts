import type { Open } from './open.ts';

/** Reasons why deliveries wait besides the schedule. */
export const delayReasons = ['circuit_breaker', 'host_unreachable', 'host_limit', 'tenant_limit'] as const;
export type DelayReason = (typeof delayReasons)[number];

/**
 * Circuit breaker of a destination. It opens after a few consecutive failures and stays open for a cooldown. Then it is
 * half-open: single deliveries probe the destination, and the first success closes it. Pure; times are epoch milliseconds.
 */
export interface DestinationHealth {
  /** Consecutive failures since the last success. */
  readonly failures: number;
  /** Time of the first of these failures. */
  readonly failingSince?: number | undefined;
  /** Nothing is sent before this time. */
  readonly blockedUntil?: number | undefined;
  /** Reason of `blockedUntil`. Default: the circuit breaker of the destination. */
  readonly blockedBy?: Open<DelayReason> | undefined;
}

/** Returns the health of a destination that must wait for a reason outside of it. */
export function waitUntil(
  health: DestinationHealth,
  block: { readonly untilMs: number; readonly reason: Open<DelayReason> },
): DestinationHealth {
  if ((health.blockedUntil ?? 0) >= block.untilMs) return health;
  return { ...health, blockedUntil: block.untilMs, blockedBy: block.reason };
}

export const healthy: DestinationHealth = { failures: 0 };

const failuresToOpen = 5;
const minCooldownMs = 15_000;
const maxCooldownMs = 300_000;
/** Maximum effect of `Retry-After` on the other deliveries of the destination, in milliseconds. */
const maxRetryAfterMs = 3_600_000;

/** Returns whether the breaker is open or half-open: one delivery at a time suffices to probe the destination. */
export function isBroken(health: DestinationHealth): boolean {
  return health.failures >= failuresToOpen;
}

/** @param retryAfterMs wait requested by the response, if any. */
export function afterFailure(
  health: DestinationHealth,
  nowMs: number,
  retryAfterMs: number | undefined,
): DestinationHealth {
  const failures = health.failures + 1;
  const doublings = failures - failuresToOpen;
  const cooldownMs =
    doublings < 0 ? 0 : Math.min(maxCooldownMs, minCooldownMs * 2 ** Math.min(doublings, 10));
  const requestedMs = Math.min(retryAfterMs ?? 0, maxRetryAfterMs);
  const until = nowMs + Math.max(cooldownMs, requestedMs);
  return {
    failures,
    failingSince: health.failingSince ?? nowMs,
    blockedUntil: Math.max(health.blockedUntil ?? 0, until),
  };
}

/** Returns whether every attempt within the limit failed, so that further deliveries are pointless. */
export function hasFailedFor(health: DestinationHealth, nowMs: number, limitMs: number): boolean {
  return health.failingSince !== undefined && nowMs - health.failingSince >= limitMs;
}
