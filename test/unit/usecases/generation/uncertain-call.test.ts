import { describe, expect, it } from 'vitest';
import { billingOf } from '../../../../src/domain/attempt.ts';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const done = { done: true };
const statesOf = (made: ReturnType<typeof generation>) => made.job().attempts.map(({ state }) => state);

/** Lets other promises make progress. */
async function yieldTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe('a call with an unknown outcome', () => {
  it('fails instead of a second payment that does not fit the budget, with the charges so far', async () => {
    const made = generation({ responses: [failureOf('uncertain')], maxHoldMicroUsd: 150 });
    made.set((job) => ({ ...job, callBounds: { image: 100 } }));
    expect(await made.runPaidCalls()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(made.job()).toMatchObject({
      status: 'failed',
      errors: [{ code: 'budget_exceeded', billing: 'possible', index: 0 }],
    });
    expect(statesOf(made)).toEqual(['uncertain']);
  });

  it('ends only the image whose second payment does not fit the budget', async () => {
    const responses = [failureOf('uncertain'), 'image' as const];
    const made = generation({ request: { n: 2 }, responses, maxHoldMicroUsd: 100 });
    made.set((job) => ({ ...job, callBounds: { image: 100 } }));
    expect(await made.runPaidCalls()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'succeeded', errors: [{ code: 'budget_exceeded' }] });
    expect(made.job().images).toHaveLength(1);
  });

  it('does not repeat an uncertain call if the caller chose on_uncertain fail', async () => {
    const made = generation({ request: { on_uncertain: 'fail' }, responses: [failureOf('uncertain')] });
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ billing: 'possible' }] });
    expect(statesOf(made)).toEqual(['uncertain']);
  });

  it.each([1, 2, 3, 5])(
    'pays for an uncertain call at most %i times with consent',
    async (maxPaidAttempts) => {
      for (const response of [failureOf('uncertain'), 'damaged image'] as const) {
        const made = generation({ responses: Array(10).fill(response), maxPaidAttempts });
        expect(await made.runPaidCalls()).toEqual(done);
        expect(made.calls).toHaveLength(maxPaidAttempts);
        expect(made.job().status).toBe('failed');
      }
    },
  );

  it('is repeated after the backoff, and after the wait that the provider requests', async () => {
    const responses = [failureOf('uncertain'), failureOf('uncertain', undefined, { retryAfterMs: 8_000 })];
    const made = generation({ responses, maxPaidAttempts: 3 });
    expect(await made.run()).toEqual({ againInMs: 500, isInterrupted: true });
    expect(made.calls).toHaveLength(1);
    expect(await made.run()).toEqual({ againInMs: 8_000, isInterrupted: true });
    expect(made.calls).toHaveLength(2);
    expect(await made.run()).toEqual(done);
    expect(made.job().status).toBe('succeeded');
  });

  it('counts payments over all runs, so refusals in between allow no further payment', async () => {
    const [broken, refused] = [failureOf('uncertain'), failureOf('refused')];
    const made = generation({ responses: [broken, refused, refused, broken, broken] });
    for (let refusals = 0; refusals <= 2; refusals++)
      expect(await made.run()).toMatchObject({ againInMs: expect.any(Number) });
    expect(await made.run()).toEqual(done);
    expect(statesOf(made)).toEqual(['uncertain', 'rejected', 'rejected', 'uncertain']);
  });

  it('follows the same rules for an uncertain call of a dead worker', async () => {
    const left = (onUncertain: 'retry' | 'fail') => {
      const made = generation({ onUncertain });
      made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf({ state: 'calling' })] }));
      return made;
    };
    const strict = left('fail');
    expect(await strict.run()).toEqual(done);
    expect(strict.calls).toHaveLength(0);
    expect(strict.job()).toMatchObject({ status: 'failed', errors: [{ code: 'provider_outcome_unknown' }] });
    const lenient = left('retry');
    await lenient.run();
    expect(lenient.calls).toHaveLength(1);
    expect(statesOf(lenient)).toEqual(['uncertain', 'stored']);
  });
});

describe('a response that an earlier run paid for', () => {
  it.each(['calling', 'received'] as const)(
    'stores the response of an earlier run without a call if its attempt is %s',
    async (state) => {
      const made = generation();
      made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf({ state })] }));
      made.spoolBody(1);
      expect(await made.run()).toEqual(done);
      expect(made.calls).toHaveLength(0);
      expect(statesOf(made)).toEqual(['stored']);
      expect([...made.stored.values()].map(String)).toEqual(['image from before']);
      expect(made.spooled.size).toBe(0);
    },
  );

  it('waits two minutes for a response on another disk', async () => {
    const made = generation();
    made.set((job) => ({
      ...beginRun(job, createdAt),
      attempts: [attemptOf({ state: 'received', receivedAt: createdAt + 900 })],
    }));
    expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    expect(made.calls).toHaveLength(0);
    made.passTime(119_000);
    expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    made.passTime(1_000);
    expect(await made.run()).toEqual(done);
    expect(statesOf(made)).toEqual(['wasted', 'stored']);
  });

  it('waits two minutes for a response that arrived before its worker crashed, as it may be on the disk', async () => {
    const made = generation();
    made.set((job) => ({
      ...beginRun(job, createdAt),
      attempts: [attemptOf({ state: 'calling', arrivedAt: createdAt + 900 })],
    }));
    expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    made.passTime(119_000);
    made.spoolBody(1);
    await made.recoverSpooledResponses(new AbortController().signal);
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(0);
    expect(statesOf(made)).toEqual(['stored']);
  });

  it('keeps the charge in the ledger if the response is gone for good', async () => {
    const made = generation({ onUncertain: 'fail' });
    const seen = { state: 'received', receivedAt: createdAt, handle: 'resp_1' } as const;
    made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf(seen)] }));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'failed', attempts: [{ state: 'uncertain' }] });
    expect(billingOf(made.job().attempts)).toBe('charged');
  });

  it('uploads a paid response until the storage accepts it, without a second payment', async () => {
    const made = generation({ storageRefusals: 30 });
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(made.job().status).toBe('succeeded');
  });
});

describe('a failure on our side', () => {
  it('loses no image if the disk fails after the last byte, because the storage accepts it', async () => {
    const made = generation({ storageRefusals: 3 });
    made.faults.spool.syncs = 1;
    await made.run();
    expect(made.calls).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
    // The ledger never says that the response is on the disk.
    expect(made.job().attempts[0]).not.toHaveProperty('receivedAt');
  });

  it('records a paid response even if the circuit breaker cannot be closed', async () => {
    const made = generation();
    made.faults.breaker.resets = 1;
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(statesOf(made)).toEqual(['stored']);
  });

  it('loses no image if the disk refuses the response, because the storage accepts it', async () => {
    const made = generation({ storageRefusals: 3 });
    made.faults.spool.writes = 1;
    await made.run();
    expect(made.calls).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
  });

  it('does not pay without limit if the spool cannot be written', async () => {
    const made = generation({ maxPaidAttempts: 2, maxEarlyUploads: 0 });
    made.faults.spool.writes = 1_000;
    for (let runs = 0; runs < 10 && made.job().status !== 'failed'; runs++) await made.run().catch(() => {});
    expect(made.calls).toHaveLength(2);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'storage_failed' }] });
  });

  it('makes no call while the spool is full', async () => {
    const made = generation();
    made.faults.spool.isFull = () => true;
    expect(await made.run()).toEqual({ againInMs: 5_000, isInterrupted: true });
    expect(made.calls).toHaveLength(0);
    made.faults.spool.isFull = () => false;
    expect(await made.run()).toEqual(done);
  });

  it('releases the job only after the calls of the other images have ended, if one fails internally', async () => {
    let ended = false;
    const made = generation({
      request: { n: 2 },
      responses: [
        'image',
        async () => {
          await yieldTurns(50);
          ended = true;
          return 'image';
        },
      ],
    });
    made.faults.storage.keys.add(/\/0-1-/);
    await expect(made.run()).rejects.toThrow('a bug');
    expect(ended).toBe(true);
    expect(made.job().images.map((image) => image.index)).toEqual([1]);
    made.faults.storage.keys.clear();
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(2);
    expect(made.job()).toMatchObject({ status: 'succeeded', images: [{ index: 1 }, { index: 0 }] });
  });
});
