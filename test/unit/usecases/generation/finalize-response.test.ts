import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { erase } from '../../../../src/domain/job-erasure.ts';
import { beginRun, finish } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt, imageOf, retention } from '../../../support/jobs.ts';

const never = new AbortController().signal;

/** Creates a job with a spooled response to its first attempt, after a further change of the job. */
function late(change: (job: ImageJob) => ImageJob, text?: string) {
  const made = generation();
  made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf({ state: 'uncertain' })] }));
  made.set(change);
  made.spoolBody(1, text);
  const finalize = (
    signal = never,
    owner: Omit<Parameters<typeof made.finalizeResponse>[2], 'signal'> = {},
  ) => {
    const [attempt] = made.job().attempts;
    if (!attempt) throw new Error('no attempt');
    return made.finalizeResponse(made.job(), attempt, { signal, ...owner });
  };
  return { made, finalize };
}

describe('the finalization of a late response', () => {
  it('records the image if it is still missing, and clears the error of the attempt', async () => {
    const { made, finalize } = late((job) => job);
    expect(await finalize()).toBe(true);
    const [attempt] = made.job().attempts;
    expect(attempt).toMatchObject({ state: 'stored', costMicroUsd: 5_970 });
    expect(attempt).not.toHaveProperty('error');
    expect(made.job().images).toHaveLength(1);
    expect(made.spooled.size).toBe(0);
  });

  it('ends the job with its last image in the same write', async () => {
    const { made, finalize } = late((job) => job);
    const { version } = made.job();
    await finalize();
    expect(made.job()).toMatchObject({ status: 'succeeded', version: version + 1 });
  });

  it.each([
    ['the image exists already', (job: ImageJob) => ({ ...job, images: [imageOf(job)] })],
    ['the job has ended', (job: ImageJob) => finish(job, 'canceled', { nowMs: createdAt + 1, retention })],
  ])('records the response as wasted with its cost and removes its bytes if %s', async (_name, change) => {
    const { made, finalize } = late(change);
    const before = made.job();
    expect(await finalize()).toBe(true);
    expect(made.job()).toMatchObject({
      status: before.status,
      images: before.images,
      attempts: [{ state: 'wasted', costMicroUsd: 5_970 }],
      usage: { output_tokens: expect.any(Number) },
    });
    expect(made.stored.size).toBe(0);
    expect(made.spooled.size).toBe(0);
  });

  it.each([
    ['erased', (job: ImageJob) => erase(job, createdAt + 1, retention)],
    ['canceled', (job: ImageJob) => finish(job, 'canceled', { nowMs: createdAt + 1, retention })],
  ])(
    'records the cost of a response whose job was %s although the storage takes no image',
    async (...given) => {
      const { made, finalize } = late(given[1]);
      made.faults.storage.puts = 100;
      expect(await finalize()).toBe(true);
      expect(made.job()).toMatchObject({
        status: 'canceled',
        images: [],
        attempts: [{ state: 'wasted', costMicroUsd: 5_970 }],
      });
      expect(made.stored.size).toBe(0);
      expect(made.spooled.size).toBe(0);
    },
  );

  it('records the tokens of a late response once although it is finalized twice', async () => {
    const { made, finalize } = late((job) => finish(job, 'canceled', { nowMs: createdAt + 1, retention }));
    await finalize();
    const { usage } = made.job();
    made.spoolBody(1);
    await finalize();
    expect(made.job().usage).toEqual(usage);
  });

  it('records an image once although it is finalized twice', async () => {
    const { made, finalize } = late((job) => job);
    await finalize();
    const once = made.job();
    made.spoolBody(1);
    expect(await finalize()).toBe(true);
    expect(made.job().images).toEqual(once.images);
    expect(made.job().usage).toEqual(once.usage);
    expect(made.stored.size).toBe(1);
  });

  it('rejects a response without an image and keeps its file, which holds its charge', async () => {
    const { made, finalize } = late((job) => job, 'no image');
    await expect(finalize()).rejects.toMatchObject({ failure: { kind: 'unusable' } });
    expect(made.spooled.size).toBe(1);
    expect(made.job().images).toEqual([]);
  });

  it('keeps the response in the spool if the storage is down and the run has to stop', async () => {
    const { made, finalize } = late((job) => job);
    const owner = { update: async (change: (job: ImageJob) => ImageJob) => made.set(change) };
    made.faults.storage.puts = 2;
    expect(await finalize(AbortSignal.abort('draining'), owner)).toBe(false);
    expect(made.spooled.size).toBe(1);
    expect(await finalize(never, owner)).toBe(true);
  });

  it('tries the storage once during recovery and keeps the response in the spool if it fails', async () => {
    const { made, finalize } = late((job) => job);
    made.faults.storage.puts = 1;
    expect(await finalize()).toBe(false);
    expect(made.spooled.size).toBe(1);
    expect(await finalize()).toBe(true);
    expect(made.spooled.size).toBe(0);
  });

  it('keeps the response in the spool if no memory slot is free and the run has to stop', async () => {
    const { made, finalize } = late((job) => job);
    let release = () => {};
    const held = made.memorySlots(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
      never,
    );
    const stop = new AbortController();
    const finalized = finalize(stop.signal);
    stop.abort('run_timeout');
    expect(await finalized).toBe(false);
    expect(made.spooled.size).toBe(1);
    release();
    await held;
    expect(await finalize()).toBe(true);
  });
});
