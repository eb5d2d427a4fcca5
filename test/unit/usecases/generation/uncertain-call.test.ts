import { describe, expect, it } from 'vitest';
import { billingOf } from '../../../../src/domain/attempt.ts';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { failureOf, generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';

const done = { done: true };
const statesOf = (made: ReturnType<typeof generation>) => made.job().attempts.map(({ state }) => state);

/** Lets others go on for a while. */
async function leaseEpochs(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

describe('a call of unknown outcome', () => {
  it('is not repeated against the will of the caller', async () => {
    const made = generation({ request: { on_uncertain: 'fail' }, responses: [failureOf('uncertain')] });
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ billing: 'possible' }] });
    expect(statesOf(made)).toEqual(['uncertain']);
  });

  it.each([1, 2, 3, 5])('with consent is paid for at most %i times', async (maxPaidAttempts) => {
    for (const response of [failureOf('uncertain'), 'no image'] as const) {
      const made = generation({ responses: Array(10).fill(response), maxPaidAttempts });
      expect(await made.run()).toEqual(done);
      expect(made.calls).toHaveLength(maxPaidAttempts);
      expect(made.job().status).toBe('failed');
    }
  });

  it('counts over executions: refusals in between do not open another payment', async () => {
    const [broken, refused] = [failureOf('uncertain'), failureOf('refused')];
    const made = generation({ responses: [broken, refused, refused, broken, broken] });
    expect(await made.run()).toMatchObject({ againInMs: expect.any(Number) });
    expect(await made.run()).toMatchObject({ againInMs: expect.any(Number) });
    expect(await made.run()).toEqual(done);
    expect(statesOf(made)).toEqual(['uncertain', 'rejected', 'rejected', 'uncertain']);
  });

  it('that a dead worker left behind is judged by the same rules', async () => {
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

describe('an answer that was paid for before', () => {
  it.each(['calling', 'received'] as const)('and noted as %s is stored without a call', async (state) => {
    const made = generation();
    made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf({ state })] }));
    made.spoolBody(1);
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(0);
    expect(statesOf(made)).toEqual(['stored']);
    expect([...made.stored.values()].map(String)).toEqual(['image from before']);
    expect(made.spooled.size).toBe(0);
  });

  it('and lies on another disk is waited for, but not for ever', async () => {
    const made = generation();
    made.set((job) => ({
      ...beginRun(job, createdAt),
      attempts: [attemptOf({ state: 'received', receivedAt: createdAt + 900 })],
    }));
    expect(await made.run()).toEqual({ againInMs: 5_000 });
    expect(made.calls).toHaveLength(0);
    made.passTime(119_000);
    expect(await made.run()).toEqual({ againInMs: 5_000 });
    made.passTime(1_000);
    expect(await made.run()).toEqual(done);
    expect(statesOf(made)).toEqual(['wasted', 'stored']);
  });

  it('and can be had from nowhere any more stays paid, in the books as well', async () => {
    const made = generation({ onUncertain: 'fail' });
    const seen = { state: 'received', receivedAt: createdAt, handle: 'resp_1' } as const;
    made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf(seen)] }));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'failed', attempts: [{ state: 'uncertain' }] });
    expect(billingOf(made.job().attempts)).toBe('charged');
  });

  it('is stored for as long as the storage takes, without a second payment', async () => {
    const made = generation({ storageRefusals: 30 });
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(made.job().status).toBe('succeeded');
  });
});

describe('trouble of our own', () => {
  it('a disk that fails after the last byte loses nothing: the storage is asked until it takes the image', async () => {
    const made = generation({ storageRefusals: 3 });
    made.faults.spoolSyncs = 1;
    await made.run();
    expect(made.calls).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
    // The ledger never says that the answer is on the disk.
    expect(made.job().attempts[0]).not.toHaveProperty('receivedAt');
  });

  it('a store that cannot be told that the account works again keeps no paid answer from its row', async () => {
    const made = generation();
    made.faults.breakerResets = 1;
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(1);
    expect(statesOf(made)).toEqual(['stored']);
  });

  it('a spool that cannot be written is not a reason to pay again and again', async () => {
    const made = generation({ maxPaidAttempts: 2 });
    made.faults.spoolWrites = 1_000;
    for (let runs = 0; runs < 10 && made.job().status !== 'failed'; runs++) await made.run().catch(() => {});
    expect(made.calls).toHaveLength(2);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'storage_failed' }] });
  });

  it('a full spool makes no call and waits', async () => {
    const made = generation();
    made.faults.roomless = true;
    expect(await made.run()).toEqual({ againInMs: 5_000 });
    expect(made.calls).toHaveLength(0);
    made.faults.roomless = false;
    expect(await made.run()).toEqual(done);
  });

  it('that hits one image of several gives the job back only when the calls for the others have ended', async () => {
    let ended = false;
    const made = generation({
      request: { n: 2 },
      responses: [
        'image',
        async () => {
          await leaseEpochs(50);
          ended = true;
          return 'image';
        },
      ],
    });
    made.faults.storageKeys.add('0-1.png');
    await expect(made.run()).rejects.toThrow('a fault of ours');
    expect(ended).toBe(true);
    expect(made.job().images.map((image) => image.index)).toEqual([1]);
    made.faults.storageKeys.clear();
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(2);
    expect(made.job()).toMatchObject({ status: 'succeeded', images: [{ index: 1 }, { index: 0 }] });
  });

  it('a job that outlived too many workers ends, and says so', async () => {
    const made = generation();
    made.set((job) => ({ ...beginRun(job, createdAt), crashCount: 20 }));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'worker_lost' }] });
    expect(made.calls).toHaveLength(0);
  });
});
