import { describe, expect, it } from 'vitest';
import { enhancementRequest } from '../../../../src/domain/enhancement.ts';
import { holdOf } from '../../../../src/domain/job-money.ts';
import { beginRun, requestCancel } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const done = { done: true };

/** Creates a queued enhancement and the parts that run it. */
function enhancement(given: Parameters<typeof generation>[0] = {}) {
  const made = generation({ ...given, request: enhancementRequest({ prompt: 'A fox' }, 'gpt-5.4-mini') });
  made.set((job) => ({ ...job, purpose: 'enhance', callBounds: { image: 0, enhance: 900 } }));
  return made;
}

describe('an enhancement', () => {
  it('succeeds with the description of one call and calls no image model', async () => {
    const made = enhancement();
    expect(holdOf(made.job())).toBe(900);
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({
      status: 'succeeded',
      enhancedPrompt: 'A fox, in detail',
      usage: { total_tokens: expect.any(Number) },
      attempts: [{ kind: 'enhance', state: 'stored' }],
      images: [],
    });
    expect(made.calls).toEqual([]);
    expect(holdOf(made.job())).toBe(0);
  });

  it.each([
    ['refused', 'none', 0],
    ['uncertain', 'possible', 900],
  ] as const)('fails after one %s call with the billing %s', async (kind, billing, hold) => {
    const made = enhancement({ descriptions: [failureOf(kind)] });
    await made.run();
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ stage: 'enhancing', billing }] });
    expect(made.job().warnings).toBeUndefined();
    expect(made.enhancements).toHaveLength(1);
    expect(holdOf(made.job())).toBe(hold);
  });

  it('fails without a second call if an earlier worker died during the call, whatever the deployment allows', async () => {
    const made = enhancement({ onUncertain: 'retry' });
    made.set((job) => ({
      ...beginRun(job, createdAt),
      attempts: [attemptOf({ kind: 'enhance', state: 'calling' })],
    }));
    await made.run();
    expect(made.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'worker_lost', billing: 'possible' }],
      attempts: [{ state: 'uncertain', error: 'worker_lost' }],
    });
    expect(made.enhancements).toEqual([]);
  });

  it('fails with the error of its call if its worker died after the outcome was written', async () => {
    const made = enhancement();
    const row = attemptOf({ kind: 'enhance', state: 'rejected', error: 'moderation_blocked' });
    made.set((job) => ({ ...beginRun(job, createdAt), attempts: [row] }));
    await made.run();
    expect(made.job().errors).toMatchObject([{ code: 'moderation_blocked', billing: 'none' }]);
    expect(made.enhancements).toEqual([]);
  });

  it('waits for a circuit breaker that closes while its caller waits, and fails if it stays open', async () => {
    const code = 'provider_overloaded';
    const free = enhancement();
    await free.run();
    const scope = free.scopesChecked[0]?.[0] ?? '';

    const waiting = enhancement();
    waiting.blocked.set(scope, { scope, untilMs: createdAt + 11_000, code });
    expect(await waiting.run()).toEqual({ againInMs: 10_000 });
    expect(waiting.job().status).toBe('running');

    const late = enhancement();
    late.blocked.set(scope, { scope, untilMs: createdAt + 61_000, code });
    expect(await late.run()).toEqual(done);
    expect(late.job()).toMatchObject({ status: 'failed', errors: [{ code, billing: 'none' }] });
    expect([...waiting.enhancements, ...late.enhancements]).toEqual([]);
  });

  it('ends as canceled at the request of its caller before the call', async () => {
    const made = enhancement();
    made.set((job) => requestCancel(job, createdAt));
    await made.run();
    expect(made.job().status).toBe('canceled');
    expect(made.enhancements).toEqual([]);
  });
});
