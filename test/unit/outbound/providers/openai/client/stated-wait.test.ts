import { describe, expect, it } from 'vitest';
import {
  classifyResponse,
  classifyStatedError,
} from '../../../../../../src/outbound/providers/openai/client/classify-failure.ts';

const waitOf = (body: unknown) => classifyResponse({ status: 429, body, header: () => null }, 0).retryAfterMs;

describe('the retry delay in the body of a refusal', () => {
  it.each([
    [{ error: { message: 'Limit 5, Used 5. Please try again in 12s. Visit https://example.com' } }, 12_000],
    [{ error: { message: 'Please try again in 6m0s.' } }, 360_000],
    [{ error: { message: 'Please try again in 1.236s.' } }, 1_236],
    [{ error: { message: 'Please retry after 7 seconds.' } }, 7_000],
    [{ error: { message: 'Retry in about 2 minutes' } }, 120_000],
    [{ statusCode: 429, message: 'Rate limit is exceeded. Try again in 250 ms.' }, 250],
    [{ error: { status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '30s' }] } }, 30_000],
    [{ error: { retry_after: 5 } }, 5_000],
    [{ error: { retryAfter: '60' } }, 60_000],
    [{ retry_after_ms: 1_500 }, 1_500],
  ])('reads a retry delay from %j as %i ms', (body, expected) => {
    expect(waitOf(body)).toBe(expected);
  });

  it.each([
    [{ error: { retry_after: -5 } }],
    [{ error: { retry_after: 'NaN' } }],
    [{ error: { retry_after: null } }],
    [{ error: { retry_after: [] } }],
    [{ error: { message: 'Please try again in a while.' } }],
    [{ error: { message: 'Please try again in 5 parsecs.' } }],
    [{ error: { message: 'Please try again in 3 months.' } }],
  ])('reads no retry delay from %j', (body) => {
    expect(waitOf(body)).toBeUndefined();
  });

  it('reads a retry delay from a rate limit that is stated after a 2xx status', () => {
    const error = { code: 'rate_limit_exceeded', message: 'Please try again in 2s.' };
    expect(classifyStatedError(error, { status: 200 })).toMatchObject({
      kind: 'refused',
      retryAfterMs: 2_000,
    });
  });
});
