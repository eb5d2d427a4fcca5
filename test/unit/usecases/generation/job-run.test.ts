import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { createJobRun } from '../../../../src/usecases/generation/job-run.ts';
import type { UpdateJob } from '../../../../src/usecases/jobs/update-job.ts';
import { attemptOf, createdAt, queuedJob } from '../../../support/jobs.ts';

const away = () => new AppError('store_unavailable');

/** Creates a run over a record whose store is unavailable for the next writes. */
function runOf(given: { away: number; writtenAnyway?: boolean; stop?: AbortSignal }) {
  const taken = beginRun(queuedJob(), createdAt);
  let job: ImageJob = { ...taken, attempts: [attemptOf({ state: 'calling', fence: taken.fence })] };
  let left = given.away;
  let tries = 0;
  const updateJob: UpdateJob = async (_key, next) => {
    tries += 1;
    left -= 1;
    if (left >= 0 && !given.writtenAnyway) throw away();
    const after = next(job);
    if (after) job = { ...after, version: job.version + 1 };
    if (left >= 0) throw away();
    return job;
  };
  const pauses: number[] = [];
  const sleep = async (ms: number) => void pauses.push(ms);
  const stop = given.stop ?? new AbortController().signal;
  const run = createJobRun(job, { updateJob, updateWithinBudgets: updateJob }, { stop, sleep });
  return { run, job: () => job, tries: () => tries, pauses };
}

const newAttempt = { kind: 'generate', index: 0, stage: 'generating', provider: 'studio' } as const;
const received = { state: 'received', receivedAt: createdAt + 1 } as const;

describe('a run whose store is unavailable', () => {
  it('records the outcome of a paid call as soon as the store is available again', async () => {
    const { run, job, pauses } = runOf({ away: 3 });
    await run.updateAttempt(1, received);
    expect(job().attempts).toMatchObject([received]);
    expect(pauses).toHaveLength(3);
    expect(pauses.every((ms) => ms > 0)).toBe(true);
  });

  it('may repeat a completed write whose reply was lost', async () => {
    const { run, job, tries } = runOf({ away: 2, writtenAnyway: true });
    await run.updateAttempt(1, received);
    expect(tries()).toBe(3);
    expect(job().attempts).toMatchObject([received]);
  });

  it('makes no call if its ledger row may be missing', async () => {
    const { run, job, tries } = runOf({ away: 1 });
    await expect(run.openAttempt(newAttempt, createdAt)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(tries()).toBe(1);
    expect(job().attempts).toHaveLength(1);
  });

  it('removes a row that was written although its reply was lost, because no call followed', async () => {
    const { run, job } = runOf({ away: 1, writtenAnyway: true });
    await expect(run.openAttempt(newAttempt, createdAt)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(job().attempts.map(({ no }) => no)).toEqual([1, 2]);
    await run.update((current) => current);
    expect(job().attempts.map(({ no }) => no)).toEqual([1]);
  });

  it('never removes the row of a call, which gets another number than a removed row', async () => {
    const { run, job } = runOf({ away: 1, writtenAnyway: true });
    await expect(run.openAttempt(newAttempt, createdAt)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(await run.openAttempt(newAttempt, createdAt)).toMatchObject({ no: 3 });
    await run.updateAttempt(3, received);
    expect(job().attempts.map(({ no }) => no)).toEqual([1, 3]);
  });

  it.each(['budget_exceeded', 'store_unavailable'] as const)(
    'never removes the row of another image that took a number first, if the own row fails with %s',
    async (code) => {
      const begun = beginRun(queuedJob({ request: { n: 2 } }), createdAt);
      let job: ImageJob = begun;
      /** Tries the second image on the record before the row of the first, as a conflict of two writes does. */
      const updateJob: UpdateJob = async (_key, next) => {
        job = { ...(next(job) ?? job), version: job.version + 1 };
        return job;
      };
      const updateWithinBudgets: UpdateJob = async (key, next) => {
        if (job.attempts.length === 0) return updateJob(key, next);
        next(begun);
        next(job);
        throw new AppError(code);
      };
      const [stop, sleep] = [new AbortController().signal, async () => undefined];
      const run = createJobRun(begun, { updateJob, updateWithinBudgets }, { stop, sleep });
      expect(await run.openAttempt(newAttempt, createdAt)).toMatchObject({ no: 1 });
      await expect(run.openAttempt({ ...newAttempt, index: 1 }, createdAt)).rejects.toMatchObject({ code });
      await run.updateAttempt(1, received);
      expect(job.attempts).toMatchObject([{ no: 1, index: 0, ...received }]);
    },
  );

  it('tries a write once more when the run has to stop, and then rejects', async () => {
    const stop = new AbortController();
    const { run, tries, pauses } = runOf({ away: 9, stop: stop.signal });
    stop.abort('draining');
    await expect(run.updateAttempt(1, received)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect({ tries: tries(), pauses: pauses.length }).toEqual({ tries: 1, pauses: 0 });

    const later = new AbortController();
    const other = runOf({ away: 9, stop: later.signal });
    const writing = other.run.updateAttempt(1, received);
    later.abort('draining');
    await expect(writing).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(other.tries()).toBe(2);
  });

  it('does not repeat a write that is rejected for another reason', async () => {
    const { run, tries } = runOf({ away: 0 });
    const refusal = new AppError('already_terminal');
    const refuse = () => {
      throw refusal;
    };
    await expect(run.update(refuse)).rejects.toBe(refusal);
    expect(tries()).toBe(1);
  });
});
