import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun, erase, finish } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt, imageOf, retention } from '../../../support/jobs.ts';

const never = new AbortController().signal;

/** A job with an answer of its first attempt in the spool, in whatever state the job has got to meanwhile. */
function late(meanwhile: (job: ImageJob) => ImageJob, text?: string) {
  const made = generation();
  made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf({ state: 'uncertain' })] }));
  made.set(meanwhile);
  made.spoolBody(1, text);
  const settle = (signal = never, owner: Parameters<typeof made.finalizeResponse>[3] = {}) => {
    const [attempt] = made.job().attempts;
    if (!attempt) throw new Error('no attempt');
    return made.finalizeResponse(made.job(), attempt, signal, owner);
  };
  return { made, settle };
}

describe('an answer that comes late', () => {
  it('is entered where its place is still empty, and the doubt is gone', async () => {
    const { made, settle } = late((job) => job);
    expect(await settle()).toBe(true);
    const [attempt] = made.job().attempts;
    expect(attempt).toMatchObject({ state: 'stored', costMicroUsd: 5_970 });
    expect(attempt).not.toHaveProperty('error');
    expect(made.job().images).toHaveLength(1);
    expect(made.spooled.size).toBe(0);
  });

  it('ends its job with the last image, in the same write', async () => {
    const { made, settle } = late((job) => job);
    const { version } = made.job();
    await settle();
    expect(made.job()).toMatchObject({ status: 'succeeded', version: version + 1 });
  });

  it.each([
    ['its place is filled', (job: ImageJob) => ({ ...job, images: [imageOf(job)] })],
    ['its job has ended', (job: ImageJob) => finish(job, 'canceled', { nowMs: createdAt + 1, retention })],
  ])('is counted as wasted where %s: its money stays visible, its bytes go', async (_name, meanwhile) => {
    const { made, settle } = late(meanwhile);
    const before = made.job();
    expect(await settle()).toBe(true);
    expect(made.job()).toMatchObject({
      status: before.status,
      images: before.images,
      attempts: [{ state: 'wasted', costMicroUsd: 5_970 }],
    });
    expect(made.stored.size).toBe(0);
    expect(made.spooled.size).toBe(0);
  });

  it('leaves nothing of itself where its job was erased', async () => {
    const { made, settle } = late((job) => erase(job, createdAt + 1, retention));
    expect(await settle()).toBe(true);
    expect(made.job()).toMatchObject({ status: 'canceled', images: [], attempts: [{ state: 'wasted' }] });
    expect(made.stored.size).toBe(0);
    expect(made.spooled.size).toBe(0);
  });

  it('is entered once, although it is settled twice', async () => {
    const { made, settle } = late((job) => job);
    await settle();
    const once = made.job();
    made.spoolBody(1);
    expect(await settle()).toBe(true);
    expect(made.job().images).toEqual(once.images);
    expect(made.job().usage).toEqual(once.usage);
    expect(made.stored.size).toBe(1);
  });

  it('without an image in it says so and leaves no file', async () => {
    const { made, settle } = late((job) => job, 'no image');
    await expect(settle()).rejects.toMatchObject({ failure: { kind: 'unusable' } });
    expect(made.spooled.size).toBe(0);
    expect(made.job().images).toEqual([]);
  });

  it('stays in the spool when the storage is down and its run has to stop', async () => {
    const { made, settle } = late((job) => job);
    const owner = { tell: async (change: (job: ImageJob) => ImageJob) => made.set(change) };
    made.faults.storage = 2;
    expect(await settle(AbortSignal.abort('draining'), owner)).toBe(false);
    expect(made.spooled.size).toBe(1);
    expect(await settle(never, owner)).toBe(true);
  });

  it('stays in the spool when the storage does not take it, which is asked once: nobody waits for it', async () => {
    const { made, settle } = late((job) => job);
    made.faults.storage = 1;
    expect(await settle()).toBe(false);
    expect(made.spooled.size).toBe(1);
    expect(await settle()).toBe(true);
    expect(made.spooled.size).toBe(0);
  });

  it('stays in the spool when there is no room in memory and the work has to stop', async () => {
    const { made, settle } = late((job) => job);
    let leave = () => {};
    const held = made.inMemory(
      () =>
        new Promise<void>((resolve) => {
          leave = resolve;
        }),
      never,
    );
    const stop = new AbortController();
    const settled = settle(stop.signal);
    stop.abort('run_timeout');
    expect(await settled).toBe(false);
    expect(made.spooled.size).toBe(1);
    leave();
    await held;
    expect(await settle()).toBe(true);
  });
});
