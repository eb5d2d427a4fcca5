import { parseList } from 'structured-headers';
import { describe, expect, it } from 'vitest';
import type { Quota } from '../../../../src/domain/quota.ts';
import { openAiQuotaHeaders, quotaHeaders } from '../../../../src/inbound/http/quota-headers.ts';

const quotas: Quota[] = [
  { owner: 'key', unit: 'requests', limit: 60, remaining: 42, resetSeconds: 18 },
  { owner: 'tenant', unit: 'requests', limit: 600, remaining: 7, resetSeconds: 59 },
  { owner: 'key', unit: 'queued-jobs', limit: 5, remaining: 0 },
];

const items = (header: string | undefined) =>
  parseList(header ?? '').map(([name, parameters]) => [name, Object.fromEntries(parameters)]);

describe('the headers of limits', () => {
  it('are lists of Structured Fields with the same policy names', () => {
    const headers = quotaHeaders(quotas);
    expect(items(headers['ratelimit-policy'])).toEqual([
      ['key-requests', { q: 60, w: 60 }],
      ['tenant-requests', { q: 600, w: 60 }],
      ['key-queued-jobs', { q: 5, qu: 'queued-jobs' }],
    ]);
    expect(items(headers.ratelimit)).toEqual([
      ['key-requests', { r: 42, t: 18 }],
      ['tenant-requests', { r: 7, t: 59 }],
      ['key-queued-jobs', { r: 0 }],
    ]);
  });

  it('name the limit with the fewest remaining requests for clients of the OpenAI API', () => {
    expect(openAiQuotaHeaders(quotas)).toEqual({
      'x-ratelimit-limit-requests': '600',
      'x-ratelimit-remaining-requests': '7',
      'x-ratelimit-reset-requests': '59s',
    });
  });

  it('are absent without a limit', () => {
    expect(quotaHeaders([])).toEqual({});
    expect(openAiQuotaHeaders([])).toEqual({});
  });
});
