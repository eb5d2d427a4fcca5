import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/domain/attempt.ts';
import type { ProviderFailure } from '../../../../src/domain/ports.ts';
import { decideRetry } from '../../../../src/usecases/generation/retry-decision.ts';
import { attemptOf, queuedJob } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const policy = { onUncertain: 'retry', maxPaidAttempts: 2 } as const;

function decide(
  failure: ProviderFailure,
  given: {
    states?: readonly Attempt['state'][];
    onUncertain?: 'retry' | 'fail';
    asked?: 'retry' | 'fail';
    refusals?: number;
  } = {},
) {
  const attempts = (given.states ?? ['uncertain']).map((state, i) => attemptOf({ no: i + 1, state }));
  const job = {
    ...queuedJob({ request: given.asked ? { on_uncertain: given.asked } : {} }),
    attempts,
    ...(given.refusals ? { refusals: given.refusals } : {}),
  };
  return decideRetry(failure, job, {
    index: 0,
    policy: { ...policy, onUncertain: given.onUncertain ?? 'retry' },
    random: 0,
  });
}

describe('the retry decision', () => {
  it('waits after a refusal for the backoff, or longer if the provider requests it', () => {
    expect(decide(failureOf('refused', 'provider_overloaded', { retryAfterMs: 7_000 }))).toEqual({
      kind: 'wait',
      delayMs: 7_000,
    });
    for (const retryAfterMs of [0, 1])
      expect(decide(failureOf('refused', 'provider_overloaded', { retryAfterMs }))).toEqual({
        kind: 'wait',
        delayMs: 500,
      });
    expect(decide(failureOf('refused', 'provider_overloaded', { retryAfterMs: 1e11 }))).toEqual({
      kind: 'wait',
      delayMs: 30_000,
    });
    expect(decide(failureOf('refused'), { refusals: 1 })).toEqual({ kind: 'wait', delayMs: 500 });
    expect(decide(failureOf('refused'), { refusals: 3 })).toEqual({ kind: 'wait', delayMs: 2_000 });
  });

  it.each(['final', 'stopped'] as const)(
    'fails the image after a %s failure, whatever the policy',
    (kind) => {
      for (const onUncertain of ['retry', 'fail'] as const) {
        const outcome = decide(failureOf(kind, 'moderation_blocked'), { states: ['rejected'], onUncertain });
        expect(outcome).toMatchObject({
          kind: 'failed',
          error: { code: 'moderation_blocked', billing: 'none', index: 0, stage: 'generating' },
        });
      }
    },
  );

  it.each([
    { kind: 'uncertain', states: ['uncertain'], onUncertain: 'retry', again: true },
    { kind: 'uncertain', states: ['uncertain', 'uncertain'], onUncertain: 'retry', again: false },
    { kind: 'uncertain', states: ['unusable', 'uncertain'], onUncertain: 'retry', again: false },
    { kind: 'uncertain', states: ['rejected', 'rejected', 'uncertain'], onUncertain: 'retry', again: true },
    { kind: 'uncertain', states: ['uncertain'], onUncertain: 'fail', again: false },
    { kind: 'damaged', states: ['unusable'], onUncertain: 'retry', again: true },
    { kind: 'damaged', states: ['unusable', 'unusable'], onUncertain: 'retry', again: false },
    { kind: 'damaged', states: ['unusable'], onUncertain: 'fail', again: false },
    { kind: 'unusable', states: ['unusable'], onUncertain: 'retry', again: false },
  ] as const)(
    'decides on another paid call ($again) after $kind with attempts $states and on_uncertain "$onUncertain"',
    (row) => {
      const outcome = decide(failureOf(row.kind), row);
      if (row.again) expect(outcome).toEqual({ kind: 'wait', delayMs: 500 });
      else expect(outcome).toMatchObject({ kind: 'failed', error: { billing: 'possible', index: 0 } });
    },
  );

  it('fails the image after a complete response that could not be used in time', () => {
    const outcome = decide(failureOf('uncertain', 'provider_unusable_answer'));
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'provider_unusable_answer' } });
  });

  it('waits longer before each further paid call, and as long as the provider requests, up to 30 seconds', () => {
    const rows = [
      { payments: 1, delayMs: 500 },
      { payments: 3, delayMs: 2_000 },
      { payments: 1, retryAfterMs: 8_000, delayMs: 8_000 },
      { payments: 1, retryAfterMs: 1e11, delayMs: 30_000 },
    ];
    for (const { payments, delayMs, ...hint } of rows) {
      const attempts = Array.from({ length: payments }, (_, i) =>
        attemptOf({ no: i + 1, state: 'uncertain' }),
      );
      const outcome = decideRetry(
        failureOf('uncertain', undefined, hint),
        { ...queuedJob(), attempts },
        {
          index: 0,
          policy: { ...policy, maxPaidAttempts: 9 },
          random: 0,
        },
      );
      expect(outcome).toEqual({ kind: 'wait', delayMs });
    }
  });

  it('prefers on_uncertain of the caller to that of the deployment', () => {
    expect(decide(failureOf('uncertain'), { onUncertain: 'retry', asked: 'fail' }).kind).toBe('failed');
    expect(decide(failureOf('uncertain'), { onUncertain: 'fail', asked: 'retry' }).kind).toBe('wait');
  });

  it('does not count payments for other images of the job', () => {
    const job = { ...queuedJob(), attempts: [1, 2, 3].map((no) => attemptOf({ no, index: 1 })) };
    expect(decideRetry(failureOf('uncertain'), job, { index: 0, policy, random: 0 }).kind).toBe('wait');
  });

  it('reports the facts of the provider', () => {
    const provider = { status: 400, request_id: 'req_1', categories: ['violence'] };
    const outcome = decide(failureOf('final', 'moderation_blocked', { provider, message: 'Refused.' }));
    expect(outcome).toMatchObject({ error: { message: 'Refused.', provider } });
  });
});
