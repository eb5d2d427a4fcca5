import { expect, it } from 'vitest';
import type { Quota } from '../../../src/domain/quota.ts';
import { tooManyRequests } from '../../../src/domain/too-many-requests.ts';

const quota: Quota = { owner: 'key', unit: 'requests', limit: 600, remaining: 0, resetSeconds: 3 };

it('a refusal names its limit and collects no stack, and later errors have theirs', () => {
  const refusal = tooManyRequests(quota, { quotas: [quota], retryAfterSeconds: 3 });
  expect(refusal).toMatchObject({
    message: 'The limit of the key is 600 requests per minute. Retry after the time in Retry-After.',
    retryAfterSeconds: 3,
    quotas: [quota],
    members: { 'violated-policies': ['key-requests'] },
  });
  expect(refusal.stack).not.toContain('\n');
  expect(new Error('another').stack).toContain('too-many-requests.test.ts');
});
