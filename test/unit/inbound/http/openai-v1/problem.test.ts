import { describe, expect, it } from 'vitest';
import { AppError, errorCodes, errorRow } from '../../../../../src/domain/errors.ts';
import { openAiError } from '../../../../../src/inbound/http/openai-v1/problem.ts';

const request = { instance: '/v1/images/generations', requestId: 'req_1' };
const refusal = (error: AppError) => openAiError(error, request, { isAccepted: false });
const failure = (error: AppError) => openAiError(error, request, { isAccepted: true });

/** Statuses that an OpenAI client retries. The AI SDK ignores `x-should-retry`. */
const isRetried = (status: number) => [408, 409, 429].includes(status) || status >= 500;

describe('an error after a job was accepted', () => {
  it.each(errorCodes)('%s has a status that no client retries', (code) => {
    const { status, headers, body } = failure(new AppError(code));
    expect(isRetried(status)).toBe(false);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(headers).toMatchObject({ 'x-should-retry': 'false' });
    expect(headers).not.toHaveProperty('retry-after');
    expect(body).toMatchObject({ status, retryable: false });
  });

  it.each([
    ['moderation_blocked', 400],
    ['provider_rejected', 422],
    ['budget_exceeded', 402],
    ['provider_outcome_unknown', 424],
    ['storage_failed', 424],
    ['run_timeout', 424],
    ['canceled', 424],
    ['internal', 424],
  ] as const)('a failure with the code %s has the status %i on /v1', (code, status) => {
    expect(failure(new AppError(code)).status).toBe(status);
  });

  it('refused content has the error type of OpenAI', () => {
    const { error } = failure(new AppError('moderation_blocked', { detail: 'Refused.' })).body;
    expect(error).toMatchObject({
      message: 'Refused.',
      code: 'moderation_blocked',
      type: 'image_generation_user_error',
    });
  });
});

describe('an error before a job was accepted', () => {
  it.each(errorCodes.filter((code) => errorRow(code).retryable))('%s states when to retry', (code) => {
    const { headers } = refusal(new AppError(code));
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(headers['retry-after'])).toBeLessThan(60);
    expect(headers).not.toHaveProperty('x-should-retry');
  });

  it('with a wait of a minute states 59 s, because the AI SDK ignores a Retry-After of 60 s', () => {
    const { headers } = refusal(new AppError('too_many_requests', { retryAfterSeconds: 60 }));
    expect(headers).toMatchObject({ 'retry-after': '59' });
    expect(headers).not.toHaveProperty('x-should-retry');
  });

  it.each([
    ['queue_full', 503],
    ['moderation_throttled', 429],
  ] as const)(
    '%s with a wait of more than a minute is not retried by clients, which would block their callers',
    (code, expected) => {
      const { status, headers, body } = refusal(new AppError(code, { retryAfterSeconds: 61 }));
      expect([status, body.retryable]).toEqual([expected, true]);
      expect(headers).toMatchObject({ 'x-should-retry': 'false' });
      expect(headers).not.toHaveProperty('retry-after');
    },
  );

  it.each([
    ['budget_exceeded', 402, 'budget_exceeded'],
    ['too_many_requests', 429, 'too_many_requests'],
    ['model_unknown', 404, 'model_not_found'],
    ['model_retired', 404, 'model_not_found'],
    ['validation_failed', 400, 'validation_failed'],
    ['storage_unavailable', 503, 'storage_unavailable'],
    ['internal', 503, 'internal'],
  ] as const)('%s has the status %i and the code %s', (code, status, openAiCode) => {
    const error = refusal(new AppError(code));
    expect(error.status).toBe(status);
    expect(error.body.error.code).toBe(openAiCode);
  });
});
