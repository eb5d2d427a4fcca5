import { describe, expect, it } from 'vitest';
import { failureOfResponse } from '../../../../../../src/outbound/providers/openai/images/response-failure.ts';

const failed = (error: unknown) => failureOfResponse({ status: 'failed', error }, 'req_1');

describe('the failure of a background response', () => {
  it.each([
    ['server_error', 'uncertain', 'provider_outcome_unknown', 'possible'],
    ['vector_store_timeout', 'uncertain', 'provider_outcome_unknown', 'possible'],
    ['a_code_of_tomorrow', 'uncertain', 'provider_outcome_unknown', 'possible'],
    ['rate_limit_exceeded', 'refused', 'provider_rate_limited', 'none'],
    ['slow_down', 'refused', 'provider_rate_limited', 'none'],
    ['server_is_overloaded', 'refused', 'provider_overloaded', 'none'],
    ['insufficient_quota', 'stopped', 'provider_quota_exhausted', 'none'],
    ['credit_balance_exhausted', 'stopped', 'provider_quota_exhausted', 'none'],
    ['moderation_blocked', 'final', 'moderation_blocked', 'none'],
    ['image_content_policy_violation', 'final', 'moderation_blocked', 'none'],
    ['content_policy_violation', 'final', 'moderation_blocked', 'none'],
    ['invalid_prompt', 'final', 'provider_rejected', 'none'],
    ['invalid_value', 'final', 'provider_rejected', 'none'],
    ['model_not_found', 'final', 'provider_rejected', 'none'],
    ['bio_policy', 'final', 'provider_rejected', 'none'],
    ['misalignment_policy_violation', 'final', 'moderation_blocked', 'none'],
    ['image_generation_failed', 'uncertain', 'provider_outcome_unknown', 'possible'],
  ])('classifies the code %s as %s, %s, billing %s', (code, kind, expected, billing) => {
    expect(failed({ code, message: 'What happened.' })).toMatchObject({
      kind,
      code: expected,
      billing,
      provider: { code, request_id: 'req_1' },
    });
  });

  it('classifies a refusal that a failed response states outside of its error', () => {
    for (const error of [undefined, null]) {
      const state = { status: 'failed', error, code: 'moderation_blocked' };
      expect(failureOfResponse(state, 'req_1')).toMatchObject({ kind: 'final', code: 'moderation_blocked' });
    }
    const echoed = { status: 'failed', error: null, metadata: { code: 'insufficient_quota' } };
    expect(failureOfResponse(echoed, 'req_1')).toMatchObject({ kind: 'uncertain' });
  });

  it('reports categories and stage of a refusal by the safety system', () => {
    const error = {
      code: 'moderation_blocked',
      message: 'Blocked.',
      moderation_details: { categories: ['sexual', 'violence'], moderation_stage: 'output' },
    };
    const failure = failed(error);
    expect(failure.provider?.categories).toEqual(['sexual', 'violence']);
    expect(failure.message).toContain('stage: output');
  });

  it('shows the text of the provider without keys', () => {
    expect(failed({ code: 'server_error', message: 'Boom sk-abcdefghijkl' }).message).toContain(
      'Boom [redacted]',
    );
  });

  it.each([null, undefined, 'text', 7, [], {}])('reports possible billing if the error is %j', (error) => {
    expect(failed(error)).toMatchObject({ kind: 'uncertain', billing: 'possible' });
  });
});

describe('a background response that ended without an image', () => {
  it('treats a response that a content filter ended as final and free', () => {
    const failure = failureOfResponse(
      { status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
      undefined,
    );
    expect(failure).toMatchObject({ kind: 'final', code: 'moderation_blocked', billing: 'none' });
  });

  it('treats a response that ended for another reason as unusable, and as charged if it reports usage', () => {
    const end = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    const failure = failureOfResponse(end, undefined);
    expect(failure).toMatchObject({
      kind: 'unusable',
      code: 'provider_unusable_answer',
      billing: 'possible',
    });
    expect(failure.message).toContain('max_output_tokens');
    expect(failureOfResponse({ ...end, usage: { input_tokens: 1 } }, undefined).billing).toBe('charged');
  });

  it('reports that a response was canceled at the provider', () => {
    const failure = failureOfResponse({ status: 'cancelled' }, 'req_1');
    expect(failure).toMatchObject({
      kind: 'unusable',
      billing: 'possible',
      provider: { request_id: 'req_1' },
    });
    expect(failure.message).toContain('canceled at the provider');
  });
});
