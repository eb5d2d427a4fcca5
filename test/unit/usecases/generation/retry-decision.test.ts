import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/domain/attempt.ts';
import type { ProviderFailure } from '../../../../src/domain/ports.ts';
import { decideRetry } from '../../../../src/usecases/generation/retry-decision.ts';
import { failureOf } from '../../../support/generation.ts';
import { attemptOf, queuedJob } from '../../../support/jobs.ts';

const policy = { onUncertain: 'retry', maxPaidAttempts: 2 } as const;

function verdict(
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
  return decideRetry(failure, job, 0, { ...policy, onUncertain: given.onUncertain ?? 'retry' }, 0);
}

describe('what follows from a failed call', () => {
  it('a refusal waits: as long as the provider asks, else longer with every refusal', () => {
    expect(verdict(failureOf('refused', 'provider_overloaded', { retryAfterMs: 7_000 }))).toEqual({
      kind: 'wait',
      delayMs: 7_000,
    });
    expect(verdict(failureOf('refused'), { refusals: 1 })).toEqual({ kind: 'wait', delayMs: 500 });
    expect(verdict(failureOf('refused'), { refusals: 3 })).toEqual({ kind: 'wait', delayMs: 2_000 });
  });

  it.each(['final', 'stopped'] as const)('%s ends the image, whatever the policy', (kind) => {
    for (const onUncertain of ['retry', 'fail'] as const) {
      const outcome = verdict(failureOf(kind, 'moderation_blocked'), { states: ['rejected'], onUncertain });
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { code: 'moderation_blocked', billing: 'none', index: 0, stage: 'generating' },
      });
    }
  });

  it.each([
    { kind: 'uncertain', states: ['uncertain'], onUncertain: 'retry', again: true },
    { kind: 'uncertain', states: ['uncertain', 'uncertain'], onUncertain: 'retry', again: false },
    { kind: 'uncertain', states: ['unusable', 'uncertain'], onUncertain: 'retry', again: false },
    { kind: 'uncertain', states: ['rejected', 'rejected', 'uncertain'], onUncertain: 'retry', again: true },
    { kind: 'uncertain', states: ['uncertain'], onUncertain: 'fail', again: false },
    { kind: 'unusable', states: ['unusable'], onUncertain: 'retry', again: true },
    { kind: 'unusable', states: ['unusable', 'unusable'], onUncertain: 'retry', again: false },
    { kind: 'unusable', states: ['unusable'], onUncertain: 'fail', again: false },
  ] as const)('$kind after $states with "$onUncertain": another call: $again', (row) => {
    const outcome = verdict(failureOf(row.kind), row);
    if (row.again) expect(outcome).toBeNull();
    else expect(outcome).toMatchObject({ kind: 'failed', error: { billing: 'possible', index: 0 } });
  });

  it("the caller's word on doubt counts more than the deployment's", () => {
    expect(verdict(failureOf('uncertain'), { onUncertain: 'retry', asked: 'fail' })?.kind).toBe('failed');
    expect(verdict(failureOf('uncertain'), { onUncertain: 'fail', asked: 'retry' })).toBeNull();
  });

  it('payments for other images of the job do not count', () => {
    const job = { ...queuedJob(), attempts: [1, 2, 3].map((no) => attemptOf({ no, index: 1 })) };
    expect(decideRetry(failureOf('uncertain'), job, 0, policy, 0)).toBeNull();
  });

  it('keeps what the provider said', () => {
    const provider = { status: 400, request_id: 'req_1', categories: ['violence'] };
    const outcome = verdict(failureOf('final', 'moderation_blocked', { provider, message: 'Refused.' }));
    expect(outcome).toMatchObject({ error: { message: 'Refused.', provider } });
  });
});
