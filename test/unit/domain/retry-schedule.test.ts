import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  providerDelayMs,
  storageDelayMs,
  webhookDelayMs,
  webhookScheduleSeconds,
} from '../../../src/domain/retry-schedule.ts';

const delayMs = (made: number, retryAfterMs: number | undefined, random: number) =>
  webhookDelayMs(made, { retryAfterMs, random, schedule: webhookScheduleSeconds });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the webhook schedule', () => {
  it('follows the published webhook schedule of Standard Webhooks', () => {
    const minutes = (n: number) => n * 60;
    const hours = (n: number) => n * 3600;
    expect(webhookScheduleSeconds).toEqual([
      0,
      5,
      minutes(5),
      minutes(30),
      hours(2),
      hours(5),
      hours(10),
      hours(14),
      hours(20),
      hours(24),
    ]);
    webhookScheduleSeconds.slice(1).forEach((seconds, i) => {
      expect(delayMs(i + 1, undefined, 0)).toBe(seconds * 1000);
    });
  });

  it('ends the webhook schedule after the tenth attempt', () => {
    expect(delayMs(9, undefined, 0)).not.toBeNull();
    expect(delayMs(10, undefined, 0)).toBeNull();
    expect(delayMs(10, 60_000, 0)).toBeNull();
  });

  it('adds a jitter of at most a tenth and never shortens a webhook delay', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), random, (made, chance) => {
        const seconds = webhookScheduleSeconds[made] ?? Number.NaN;
        const delay = delayMs(made, undefined, chance) ?? Number.NaN;
        expect(delay).toBeGreaterThanOrEqual(seconds * 1000);
        expect(delay).toBeLessThanOrEqual(seconds * 1100);
      }),
    );
  });

  it('waits for Retry-After of the endpoint, at least as long as scheduled and at most a day', () => {
    expect(delayMs(1, 60_000, 0)).toBe(60_000);
    expect(delayMs(2, 1_000, 0)).toBe(300_000);
    expect(delayMs(1, 1e15, 0)).toBe(86_400_000);
  });

  it('follows the webhook schedule of the deployment if it has one', () => {
    const own = [0, 1, 60];
    expect(
      [1, 2, 3].map((made) => webhookDelayMs(made, { retryAfterMs: undefined, random: 0, schedule: own })),
    ).toEqual([1_000, 60_000, null]);
  });
});

describe('the delay before another provider call', () => {
  it('waits at least as long as the provider requests, and at most a day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(1e12), random, (failures, asked, chance) => {
        const delay = providerDelayMs(failures, asked, chance);
        expect(delay).toBeGreaterThanOrEqual(Math.min(asked, 86_400_000));
        expect(delay).toBeLessThanOrEqual(86_400_000 * 1.05);
      }),
    );
  });

  it('doubles from a second to half a minute, in the upper half of each step, and a short hint never shortens it', () => {
    expect([1, 2, 3, 6, 7, 1000].map((failures) => providerDelayMs(failures, undefined, 0))).toEqual([
      500, 1_000, 2_000, 15_000, 15_000, 15_000,
    ]);
    expect([0, 1, 499].map((hintMs) => providerDelayMs(1, hintMs, 0))).toEqual([500, 500, 500]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), random, (failures, chance) => {
        const delay = providerDelayMs(failures, undefined, chance);
        expect(delay).toBeGreaterThanOrEqual(500);
        expect(delay).toBeLessThanOrEqual(30_000);
      }),
    );
  });
});

describe('the delay before another upload', () => {
  it('delays another upload by less than a fifth of a second at first, and by less than ten seconds later', () => {
    expect(storageDelayMs(1, 0.99)).toBeLessThanOrEqual(200);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), random, (failures, chance) => {
        const delay = storageDelayMs(failures, chance);
        expect(delay).toBeGreaterThanOrEqual(100);
        expect(delay).toBeLessThanOrEqual(10_000);
      }),
    );
  });
});
