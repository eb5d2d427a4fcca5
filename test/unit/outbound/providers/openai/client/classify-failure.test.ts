import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorRow } from '../../../../../../src/domain/errors.ts';
import { classifyResponse } from '../../../../../../src/outbound/providers/openai/client/classify-failure.ts';

const nowMs = Date.parse('2026-11-23T12:00:00Z');

function classifyBody(status: number, body: unknown, headers: Record<string, string> = {}) {
  return classifyResponse({ status, body, header: (name) => headers[name] ?? null }, nowMs);
}

function classify(status: number, error?: unknown, headers?: Record<string, string>) {
  return classifyBody(status, error === undefined ? undefined : { error }, headers);
}

/** Status, error object, kind, error code and billing of refusals. */
const refusals: readonly [number, object | undefined, string, ErrorCode, 'none' | 'possible'][] = [
  [429, { code: 'rate_limit_exceeded' }, 'refused', 'provider_rate_limited', 'none'],
  [429, { code: 'slow_down' }, 'refused', 'provider_rate_limited', 'none'],
  [429, undefined, 'refused', 'provider_rate_limited', 'none'],
  [429, { code: 'credit_balance_exhausted' }, 'stopped', 'provider_quota_exhausted', 'none'],
  [429, { code: 'organization_spend_limit_exceeded' }, 'stopped', 'provider_quota_exhausted', 'none'],
  [429, { code: 'project_spend_limit_exceeded' }, 'stopped', 'provider_quota_exhausted', 'none'],
  [429, { code: 'organization_usage_limit_exceeded' }, 'stopped', 'provider_quota_exhausted', 'none'],
  [429, { code: 'insufficient_quota' }, 'stopped', 'provider_quota_exhausted', 'none'],
  [429, { code: 'billing_hard_limit_reached' }, 'stopped', 'provider_quota_exhausted', 'none'],
  [429, { type: 'insufficient_quota', code: null }, 'stopped', 'provider_quota_exhausted', 'none'],
  [402, undefined, 'stopped', 'provider_quota_exhausted', 'none'],
  [401, { code: 'invalid_api_key' }, 'stopped', 'provider_unauthorized', 'none'],
  [403, { code: 'model_not_found' }, 'final', 'provider_rejected', 'none'],
  [403, { type: 'invalid_request_error', code: null }, 'final', 'provider_rejected', 'none'],
  [403, undefined, 'stopped', 'provider_unauthorized', 'none'],
  [403, { code: 'unsupported_country_region_territory' }, 'stopped', 'provider_unauthorized', 'none'],
  [503, { code: 'server_is_overloaded' }, 'refused', 'provider_overloaded', 'none'],
  [503, { code: 'slow_down' }, 'refused', 'provider_rate_limited', 'none'],
  [503, undefined, 'refused', 'provider_overloaded', 'none'],
  [400, { code: 'moderation_blocked' }, 'final', 'moderation_blocked', 'none'],
  [400, { code: 'content_policy_violation' }, 'final', 'moderation_blocked', 'none'],
  [
    400,
    { type: 'image_generation_user_error', message: 'rejected by the safety system' },
    'final',
    'moderation_blocked',
    'none',
  ],
  [
    400,
    { type: 'image_generation_user_error', message: 'the size is wrong' },
    'final',
    'provider_rejected',
    'none',
  ],
  [400, { code: 'unknown_parameter' }, 'final', 'provider_rejected', 'none'],
  [404, { code: 'model_not_found' }, 'final', 'provider_rejected', 'none'],
  [409, undefined, 'final', 'provider_rejected', 'none'],
  [413, undefined, 'final', 'provider_rejected', 'none'],
  [415, undefined, 'final', 'provider_rejected', 'none'],
  [422, undefined, 'final', 'provider_rejected', 'none'],
  [408, undefined, 'uncertain', 'provider_outcome_unknown', 'possible'],
  [500, { code: 'server_error' }, 'uncertain', 'provider_outcome_unknown', 'possible'],
  [502, undefined, 'uncertain', 'provider_outcome_unknown', 'possible'],
  [504, undefined, 'uncertain', 'provider_outcome_unknown', 'possible'],
  [524, undefined, 'uncertain', 'provider_outcome_unknown', 'possible'],
  [301, undefined, 'unusable', 'provider_unusable_answer', 'possible'],
  [304, undefined, 'unusable', 'provider_unusable_answer', 'possible'],
  [199, undefined, 'unusable', 'provider_unusable_answer', 'possible'],
];

describe('the classification of a refusal', () => {
  it.each(refusals)(
    'classifies status %i with %j as %s, %s, billing %s',
    (status, error, kind, code, billing) => {
      expect(classify(status, error)).toMatchObject({ kind, code, billing, provider: { status } });
      expect(errorRow(code).billing).toContain(billing);
    },
  );

  it('reports status, code and request id of a provider refusal', () => {
    const failure = classify(500, { code: 'server_error' }, { 'x-request-id': 'req_7' });
    expect(failure.provider).toEqual({ status: 500, code: 'server_error', request_id: 'req_7' });
  });

  it('ignores a provider code that is a sentence, because it may echo the prompt', () => {
    const failure = classify(500, { code: 'A lighthouse in a storm' });
    expect(failure.provider).toEqual({ status: 500 });
    expect(failure.message).not.toContain('lighthouse');
  });

  it('ignores a malformed request id of the provider', () => {
    expect(classify(500, undefined, { 'x-request-id': 'a b' }).provider).toEqual({ status: 500 });
    expect(classify(500, undefined, { 'x-request-id': 'x'.repeat(300) }).provider).toEqual({ status: 500 });
  });

  it('reports the retry delay of both 429 and 503', () => {
    expect(classify(429, undefined, { 'retry-after': '7' }).retryAfterMs).toBe(7_000);
    expect(classify(503, undefined, { 'retry-after-ms': '250' }).retryAfterMs).toBe(250);
    expect(classify(429)).not.toHaveProperty('retryAfterMs');
  });

  it('shows the text of the provider shortened and without secrets', () => {
    const message = `Unknown parameter 'x'. Key sk-proj-abcdEFGH1234. ${'y '.repeat(400)}`;
    const failure = classify(400, { code: 'unknown_parameter', message });
    expect(failure.message).toContain("Unknown parameter 'x'. Key [redacted]");
    expect([...failure.message].length).toBeLessThan(350);
  });

  it('shows a provider text that is not JSON, except a web page', () => {
    expect(classifyBody(404, 'no such model').message).toContain('no such model');
    expect(classify(404, 'no such model').message).toContain('no such model');
    expect(classifyBody(404, '<html>nginx</html>').message).toBe(
      'The provider refused the request with status 404.',
    );
  });

  it('hides the text of the provider if it is about the key or the credit', () => {
    const text = {
      code: 'invalid_api_key',
      message: 'Incorrect API key provided: sk-1234567890 of org Acme.',
    };
    expect(classify(401, text).message).not.toMatch(/Acme|1234/);
    expect(classify(429, { ...text, code: 'insufficient_quota' }).message).not.toMatch(/Acme|1234/);
  });
});

describe('the classification of a refusal by the safety system', () => {
  it('reports the safety categories listed in the provider text', () => {
    const error = {
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
      message:
        'Your request was rejected by the safety system. safety_violations=[sexual, "self-harm/intent"].',
    };
    const failure = classify(400, error, { 'x-request-id': 'req_1' });
    expect(failure.provider).toEqual({
      status: 400,
      code: 'moderation_blocked',
      request_id: 'req_1',
      categories: ['sexual', 'self-harm/intent'],
    });
    expect(failure.message).toContain('categories: sexual, self-harm/intent');
  });

  it('reports safety categories and stage from the error details', () => {
    const details = { categories: ['violence', 'violence'], moderation_stage: 'output' };
    const failure = classify(400, { code: 'moderation_blocked', message: 'no', moderation_details: details });
    expect(failure.provider?.categories).toEqual(['violence']);
    expect(failure.message).toContain('stage: output');
  });

  it('reports no safety categories if the provider lists none', () => {
    const failure = classify(400, { code: 'moderation_blocked', message: 'no safety_violations=[]' });
    expect(failure.provider).not.toHaveProperty('categories');
    expect(failure.message).toBe("The provider's safety system refused the content.");
  });

  it.each([
    [{ moderation_details: 7 }],
    [{ moderation_details: { categories: 'x' } }],
    [{ message: 9, type: [] }],
  ])('ignores malformed members beside the code: %j', (rest) => {
    expect(classify(400, { code: 'moderation_blocked', ...rest }).code).toBe('moderation_blocked');
  });

  it.each([
    [500, { 'retry-after': '8' }, 8_000],
    [429, { 'retry-after': '8' }, 8_000],
    [400, { 'retry-after': '8' }, undefined],
  ])(
    'a response with status %i and %j asks to wait %s ms before the next call',
    (status, headers, waitMs) => {
      const header = (name: string) => (headers as Record<string, string>)[name] ?? null;
      expect(classifyResponse({ status, header, body: '{}' }, 0).retryAfterMs).toBe(waitMs);
    },
  );

  it('the longer one of two stated waits counts, because gateways send zeros in headers', () => {
    const body = { error: { code: 'rate_limit_exceeded', message: 'Please try again in 6m0s.' } };
    const header = (name: string) => (name === 'retry-after' ? '0' : null);
    expect(classifyResponse({ status: 429, header, body }, 0).retryAfterMs).toBe(360_000);
  });
});
