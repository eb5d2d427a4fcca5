import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../console/src/api/api-error.ts';
import type { Problem } from '../../../console/src/api/types.ts';

const errorOf = (status: number, problem?: Pick<Problem, 'code'> & Partial<Problem>) =>
  new ApiError({ message: 'failed', status, problem: problem ? ({ status, ...problem } as Problem) : null });

describe('the outcome of a request that failed', () => {
  it.each([
    ['a lost connection', errorOf(0)],
    ['a 500 of a proxy', errorOf(500)],
    ['a 502 of a proxy', errorOf(502)],
    ['a 504 of a proxy', errorOf(504)],
    ['a 429 of a proxy', errorOf(429)],
    ['store_unavailable', errorOf(503, { code: 'store_unavailable' })],
    ['internal', errorOf(500, { code: 'internal' })],
    ['shutting_down', errorOf(503, { code: 'shutting_down' })],
    ['an error of a newer service', errorOf(503, { code: 'of_tomorrow' })],
    ['run_timeout, whose job continues', errorOf(504, { code: 'run_timeout', billing: 'possible' })],
  ])('is unknown after %s', (_, error) => {
    expect(error.isOutcomeUnknown).toBe(true);
  });

  it.each([
    ['validation_failed', errorOf(422, { code: 'validation_failed' })],
    ['too_many_requests of the service', errorOf(429, { code: 'too_many_requests' })],
    ['queue_full', errorOf(503, { code: 'queue_full' })],
    ['store_full', errorOf(503, { code: 'store_full' })],
    [
      'a call that ended with a charge',
      errorOf(502, { code: 'provider_outcome_unknown', billing: 'possible' }),
    ],
    ['a 413 of a proxy', errorOf(413)],
  ])('is known after %s', (_, error) => {
    expect(error.isOutcomeUnknown).toBe(false);
  });

  it.each([
    [true, 'a limit of requests', errorOf(429, { code: 'too_many_requests', retryable: true })],
    [true, 'a refused key', errorOf(401, { code: 'unauthorized' })],
    [true, 'a suspended tenant', errorOf(403, { code: 'tenant_suspended' })],
    [false, 'a refusal of the request', errorOf(422, { code: 'validation_failed' })],
    [false, 'queue_full', errorOf(503, { code: 'queue_full' })],
  ])('stays unknown after an earlier lost response: %s for %s', (expected, _, error) => {
    expect(error.leavesUnknown(true)).toBe(expected);
    expect(error.leavesUnknown(false)).toBe(false);
  });
});
