import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  type DestinationHealth,
  hasFailedFor,
  healthy,
  isBroken,
} from '../../../src/domain/destination-health.ts';
import { createdAt } from '../../support/jobs.ts';

/** Returns the health after a number of consecutive failures, all at one moment. */
function failing(times: number, retryAfterMs?: number): DestinationHealth {
  let health = healthy;
  for (let i = 0; i < times; i++) health = afterFailure(health, createdAt, retryAfterMs);
  return health;
}
const restOf = (health: DestinationHealth, nowMs = createdAt) => (health.blockedUntil ?? nowMs) - nowMs;

describe('a failing destination', () => {
  it('opens the circuit breaker only after five consecutive failures', () => {
    expect([0, 1, 4, 5, 6].map((times) => isBroken(failing(times)))).toEqual([
      ...[false, false, false, true, true],
    ]);
    expect(restOf(failing(4))).toBe(0);
  });

  it('starts with a cooldown of 15 s and doubles it each time, up to five minutes', () => {
    expect([5, 6, 7, 8, 9, 10, 11, 1_000].map((times) => restOf(failing(times)) / 1000)).toEqual([
      ...[15, 30, 60, 120, 240, 300, 300, 300],
    ]);
  });

  it('dates the outage from the first of the consecutive failures', () => {
    const later = afterFailure(failing(1), createdAt + 60_000, undefined);
    expect(later).toMatchObject({ failures: 2, failingSince: createdAt });
    expect(afterFailure(healthy, createdAt + 60_000, undefined).failingSince).toBe(createdAt + 60_000);
  });
});

describe('a destination that sends Retry-After', () => {
  it('honors Retry-After before the breaker opens, for at most an hour', () => {
    expect(restOf(failing(1, 20_000))).toBe(20_000);
    expect(restOf(failing(1, 86_400_000))).toBe(3_600_000);
  });

  it('applies the longer of Retry-After and cooldown', () => {
    expect(restOf(failing(7, 10_000))).toBe(60_000);
    expect(restOf(failing(5, 600_000))).toBe(600_000);
  });

  it('keeps Retry-After if another failure arrives at the same time', () => {
    expect(restOf(afterFailure(failing(1, 60_000), createdAt, undefined))).toBe(60_000);
  });
});

describe('the time without a success', () => {
  it('measures the time without a success from the first failure', () => {
    const health = afterFailure(failing(1), createdAt + 500, undefined);
    expect(hasFailedFor(health, createdAt + 999, 1_000)).toBe(false);
    expect(hasFailedFor(health, createdAt + 1_000, 1_000)).toBe(true);
    expect(hasFailedFor(healthy, createdAt + 1_000, 1_000)).toBe(false);
  });

  it('never shortens a cooldown, never exceeds an hour, and counts every failure in any sequence', () => {
    const step = fc.record({
      afterMs: fc.nat(400_000),
      requestedMs: fc.option(fc.nat(1e9), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        let [nowMs, health] = [createdAt, healthy];
        for (const { afterMs, requestedMs } of steps) {
          nowMs += afterMs;
          const before = health;
          health = afterFailure(before, nowMs, requestedMs);
          expect(health.blockedUntil).toBeGreaterThanOrEqual(before.blockedUntil ?? 0);
          expect(restOf(health, nowMs)).toBeLessThanOrEqual(3_600_000);
          expect(health.failures).toBe(before.failures + 1);
        }
        expect(health.failingSince).toBe(createdAt + (steps[0]?.afterMs ?? 0));
      }),
    );
  });
});
