import { describe, expect, it, vi } from 'vitest';
import { retryAfterMs } from '../../../../../../src/outbound/providers/openai/client/retry-after.ts';

const nowMs = Date.parse('2026-11-23T12:00:00Z');
const read = (headers: Record<string, string>) => retryAfterMs((name) => headers[name] ?? null, nowMs);

describe('the retry delay of a provider response', () => {
  it.each([
    [{ 'retry-after-ms': '1500' }, 1500],
    [{ 'retry-after-ms': '12.5', 'retry-after': '60' }, 13],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '20' }, 20_000],
    [{ 'retry-after': '0.25' }, 250],
    [{ 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Mon, 23 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'Mon, 23 Nov 2026 15:00:10 GMT', date: 'Mon, 23 Nov 2026 15:00:00 GMT' }, 10_000],
    [{ 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
    [{ 'x-ratelimit-reset-tokens': '1h2m3.5s' }, 3_723_500],
    [{ 'x-ratelimit-reset-requests': '20ms', 'x-ratelimit-reset-tokens': '1s' }, 1000],
    [
      {
        'x-ratelimit-reset-requests': '2s',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-tokens': '5m0s',
        'x-ratelimit-remaining-tokens': '900',
      },
      2000,
    ],
    [
      {
        'x-ratelimit-reset-requests': '2s',
        'x-ratelimit-reset-tokens': '5m0s',
        'x-ratelimit-remaining-tokens': '900',
      },
      2000,
    ],
    [{ 'retry-after': '3', 'x-ratelimit-reset-requests': '6m0s' }, 3000],
  ])('reads a retry delay from %j as %i ms', (headers, expected) => {
    expect(read(headers)).toBe(expected);
  });

  it.each([
    [{}],
    [{ 'retry-after': 'soon' }],
    [{ 'retry-after': '-5' }],
    [{ 'retry-after': '1e9' }],
    [{ 'retry-after': '' }],
    [{ 'retry-after-ms': 'NaN' }],
    [{ 'retry-after-ms': 'Infinity' }],
    [{ 'retry-after': '5, soon' }],
    [{ 'retry-after': '99999999999999999999' }],
    [{ 'x-ratelimit-reset': '-3' }],
    [{ 'x-ratelimit-reset-requests': '5 parsecs' }],
    [{ ratelimit: '"default";r=3;t=50' }],
    [{ ratelimit: '"default";r=05;t=50' }],
    [{ 'x-ratelimit-reset-requests': '6m0s', 'x-ratelimit-remaining-requests': '3' }],
  ])('reads no retry delay from %j', (headers) => {
    expect(read(headers as Record<string, string>)).toBeUndefined();
  });
});

describe('the retry delay in headers of other providers', () => {
  it.each([
    [{ 'retry-after': '5, 10' }, 10_000],
    [{ 'retry-after': '20s' }, 20_000],
    [{ 'retry-after': '60 seconds' }, 60_000],
    [{ 'x-ratelimit-reset-requests': '5 minutes' }, 300_000],
    [{ 'x-ratelimit-reset-requests': '60', 'x-ratelimit-remaining-requests': '0' }, 60_000],
    [{ 'x-ratelimit-reset-tokens': '20s', 'x-ratelimit-remaining-tokens': '-3' }, 20_000],
    [{ ratelimit: '"default";r=0;t=50' }, 50_000],
    [{ ratelimit: '"burst";r=10;t=900, "default"; r=0; t=50' }, 50_000],
  ])('reads lists, units and RateLimit: %j as %i ms', (headers, expected) => {
    expect(read(headers as Record<string, string>)).toBe(expected);
  });

  it.each([
    [{ 'x-ms-retry-after-ms': '1200' }, 1200],
    [{ 'x-retry-after': '4' }, 4000],
    [{ 'ratelimit-reset': '17' }, 17_000],
    [{ 'x-ratelimit-reset': `${nowMs / 1000 + 20}` }, 20_000],
    [{ 'x-ratelimit-reset': `${nowMs + 20_000}` }, 20_000],
    [{ 'x-ratelimit-reset': `${nowMs - 20_000}` }, 0],
  ])('reads a retry delay from %j as %i ms', (headers, expected) => {
    expect(read(headers as Record<string, string>)).toBe(expected);
  });
});

it.each([
  [{ 'retry-after': 'Mon Nov 23 12:00:30 2026' }, 30_000],
  [{ 'retry-after': 'Mon, 23 Nov 2026 12:00:30' }, 30_000],
  [{ 'retry-after': '2026-11-23T12:00:30' }, 30_000],
  [{ 'retry-after': '2026-11-23T13:00:30+01:00' }, 30_000],
  [{ 'retry-after': 'Mon Nov 23 15:00:10 2026', date: 'Mon Nov 23 15:00:00 2026' }, 10_000],
  [{ 'retry-after': 'Mon, 23 Nov 2026 15:00:10 GMT', date: 'Mon Nov 23 15:00:00 2026' }, 10_000],
])('the date in %j is UTC, wherever the worker runs', (headers, waitMs) => {
  for (const zone of ['UTC', 'America/St_Johns', 'Asia/Kathmandu']) {
    vi.stubEnv('TZ', zone);
    expect(read(headers)).toBe(waitMs);
  }
});
