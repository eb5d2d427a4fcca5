import { describe, expect, it } from 'vitest';
import { linkPeriodMs, linkTimes } from '../../../src/domain/link-times.ts';

const nowMs = Date.UTC(2026, 4, 24, 10, 20, 30, 700);

describe('the times of a link', () => {
  it.each([60, 61, 3_600, 86_400, 604_800])('are the same in a period of links that live %i s', (life) => {
    const periodMs = linkPeriodMs(life);
    const { signedAtMs } = linkTimes(nowMs, life);
    const within = [0, 1, periodMs / 2, periodMs - 1].map((later) => linkTimes(signedAtMs + later, life));
    for (const times of within) expect(times).toEqual(linkTimes(nowMs, life));
    expect(linkTimes(signedAtMs + periodMs, life).signedAtMs).toBe(signedAtMs + periodMs);
  });

  it.each([60, 61, 3_600, 86_400, 604_800])('leave three quarters of %i s, less in no moment', (life) => {
    for (let laterMs = 0; laterMs < 2 * life * 1000; laterMs += life * 100 + 7) {
      const leftMs = linkTimes(nowMs + laterMs, life).expiresAtMs - (nowMs + laterMs);
      expect(leftMs).toBeGreaterThan(life * 750);
      expect(leftMs).toBeLessThanOrEqual(life * 1000);
    }
  });

  it('stay the same for 15 minutes at most', () => {
    expect(linkPeriodMs(604_800)).toBe(900_000);
    expect(linkPeriodMs(3_600)).toBe(900_000);
    expect(linkPeriodMs(60)).toBe(15_000);
  });

  it('end with the file', () => {
    expect(linkTimes(nowMs, 3_600, nowMs + 1_000).expiresAtMs).toBe(nowMs + 1_000);
  });
});
