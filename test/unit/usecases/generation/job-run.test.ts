import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/domain/errors.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { createJobRun } from '../../../../src/usecases/generation/job-run.ts';
import type { UpdateJob } from '../../../../src/usecases/jobs/update-job.ts';
import { attemptOf, createdAt, queuedJob } from '../../../support/jobs.ts';

const away = () => new AppError('store_unavailable');

/** An execution over a record whose store is away for the next so many writes. */
function runOf(given: { away: number; writtenAnyway?: boolean; stop?: AbortSignal }) {
  const taken = beginRun(queuedJob(), createdAt);
  let job: ImageJob = { ...taken, attempts: [attemptOf({ state: 'calling', fence: taken.fence })] };
  let left = given.away;
  let tries = 0;
  const change: UpdateJob = async (_tenant, _id, next) => {
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
  const run = createJobRun(job, change, stop, sleep);
  return { run, job: () => job, tries: () => tries, pauses };
}

const received = { state: 'received', receivedAt: createdAt + 1 } as const;

describe('an execution whose store is away', () => {
  it('writes down what became of a paid call as soon as the store is back', async () => {
    const { run, job, pauses } = runOf({ away: 3 });
    await run.moveAttempt(1, received);
    expect(job().attempts).toMatchObject([received]);
    expect(pauses).toHaveLength(3);
    expect(pauses.every((ms) => ms > 0)).toBe(true);
  });

  it('does no harm by repeating a write that was carried out without an answer', async () => {
    const { run, job, tries } = runOf({ away: 2, writtenAnyway: true });
    await run.moveAttempt(1, received);
    expect(tries()).toBe(3);
    expect(job().attempts).toMatchObject([received]);
  });

  it('begins no call whose row may or may not be written', async () => {
    const { run, job, tries } = runOf({ away: 1 });
    await expect(run.openAttempt('generate', 0, 'generating', createdAt)).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    expect(tries()).toBe(1);
    expect(job().attempts).toHaveLength(1);
  });

  it('tries once more when it is told to stop, and then gives up', async () => {
    const stop = new AbortController();
    const { run, tries, pauses } = runOf({ away: 9, stop: stop.signal });
    stop.abort('draining');
    await expect(run.moveAttempt(1, received)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect({ tries: tries(), pauses: pauses.length }).toEqual({ tries: 1, pauses: 0 });

    const later = new AbortController();
    const other = runOf({ away: 9, stop: later.signal });
    const writing = other.run.moveAttempt(1, received);
    later.abort('draining');
    await expect(writing).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(other.tries()).toBe(2);
  });

  it('does not repeat what is refused for another reason', async () => {
    const { run, tries } = runOf({ away: 0 });
    const refusal = new AppError('already_terminal');
    const refuse = () => {
      throw refusal;
    };
    await expect(run.change(refuse)).rejects.toBe(refusal);
    expect(tries()).toBe(1);
  });
});
