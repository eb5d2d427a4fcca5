import { afterEach, describe, expect, it, vi } from 'vitest';
import { retryAfterMs } from '../../../../src/outbound/webhooks/retry-after.ts';

const nowMs = Date.UTC(2026, 0, 1, 0, 0, 0);

afterEach(() => void vi.unstubAllEnvs());

describe('retryAfterMs', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Thursday, 01-Jan-26 00:01:00 GMT', 60_000],
    ['Thu Jan  1 00:01:00 2026', 60_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ])('parses the Retry-After header %j', (text, expected) => {
    expect(retryAfterMs(text, nowMs)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    '-5',
    '1.5',
    '1e3',
    '0x10',
    'soon',
    '2026-01-01T00:01:00Z',
    'Thu, 99 Foo 2026 00:01:00 GMT',
    '5, 6',
  ])('ignores the invalid Retry-After header %j', (text) => {
    expect(retryAfterMs(text, nowMs)).toBeUndefined();
  });

  it('reads a date without a zone as UTC in every time zone', () => {
    vi.stubEnv('TZ', 'America/New_York');
    expect(new Date(nowMs).getTimezoneOffset()).toBe(300);
    expect(retryAfterMs('Thu Jan  1 00:01:00 2026', nowMs)).toBe(60_000);
  });

  it('ignores a missing Retry-After header and uses the first of several', () => {
    expect(retryAfterMs(undefined, nowMs)).toBeUndefined();
    expect(retryAfterMs(['5', '9'], nowMs)).toBe(5_000);
  });
});
