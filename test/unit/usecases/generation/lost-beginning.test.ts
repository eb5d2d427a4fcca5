import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../src/domain/attempt.ts';
import { storageKeyOf } from '../../../../src/domain/image.ts';
import type { ImageJob } from '../../../../src/domain/image-job.ts';
import { beginRun, finish } from '../../../../src/domain/job-moves.ts';
import { digestHex } from '../../../../src/lib/crypto/api-key-text.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt, retention } from '../../../support/jobs.ts';
import type { ScriptedResponse } from '../../../support/scripted-provider.ts';

/** Creates a job whose first run has begun its call when Redis loses the beginning of the run, and another run begins. */
function forgotten(call: (another: () => Promise<unknown>) => Promise<'image'>, later?: ScriptedResponse) {
  const made = generation({
    responses: [
      () =>
        call(() => {
          made.set(() => queued);
          made.passTime(1);
          return made.run();
        }),
      ...(later ? [later] : []),
    ],
  });
  const queued = made.job();
  return made;
}

const cost = { costMicroUsd: 5_970 };

it('a run whose beginning Redis lost neither replaces the image of the next run nor hides its own charge', async () => {
  const made = forgotten(async (another) => {
    await another();
    return 'image';
  });
  await made.run();
  const { images, attempts } = made.job();
  expect(attempts).toMatchObject([
    { no: 1, state: 'stored', providerRequestId: 'req_2', ...cost },
    { no: 2, state: 'wasted', ...cost },
  ]);
  expect([...made.stored]).toEqual([[images[0]?.storageKey, Buffer.from('image of call 2')]]);
  expect(images[0]?.sha256).toBe(digestHex(Buffer.from('image of call 2')));
  expect(made.spooled.size).toBe(0);
});

it('the image of a run whose beginning Redis lost is used if it arrives first, and the later one is recorded as wasted', async () => {
  const moments = new EventEmitter();
  const called = once(moments, 'called');
  const finished = once(moments, 'finished');
  let next: Promise<unknown> | undefined;
  const made = forgotten(
    async (another) => {
      next = another();
      await called;
      return 'image';
    },
    async () => {
      moments.emit('called');
      await finished;
      return 'image';
    },
  );
  await made.run();
  moments.emit('finished');
  await next;
  const { images, attempts } = made.job();
  expect(attempts).toMatchObject([
    { no: 1, state: 'wasted', ...cost },
    { no: 2, state: 'stored', ...cost },
  ]);
  expect([...made.stored]).toEqual([[images[0]?.storageKey, Buffer.from('image of call 1')]]);
  expect(images[0]?.sha256).toBe(digestHex(Buffer.from('image of call 1')));
});

describe('a response on this disk whose call is not the one that has its number', () => {
  const lost = attemptOf({ startedAt: createdAt + 1 });
  const other = attemptOf({ state: 'calling', startedAt: createdAt + 2 });

  /** Creates a job with a response of the lost call on this disk, and another call under its number. */
  function onDisk(attempts: readonly Attempt[], change: (job: ImageJob) => ImageJob = (job) => job) {
    const made = generation();
    made.set((job) => change({ ...beginRun(job, createdAt), attempts: [...attempts] }));
    made.spoolResponse(lost);
    const recover = () => made.recoverSpooledResponses(new AbortController().signal);
    return { ...made, recover };
  }

  it('brings its image to the job, and its charge has a row of its own', async () => {
    const made = onDisk([other]);
    await made.recover();
    expect(made.job()).toMatchObject({
      images: [{ storageKey: storageKeyOf(made.job(), lost, 'image/png') }],
      attempts: [
        { no: 1, state: 'calling', startedAt: other.startedAt },
        { no: 2, state: 'stored', startedAt: lost.startedAt, ...cost },
      ],
    });
    expect(made.spooled.size).toBe(0);
  });

  it.each([
    ['under its number', [other]],
    ['without any row', []],
  ])('is charged once if the job has ended %s, also if its file is found again', async (_name, attempts) => {
    const made = onDisk(attempts, (job) => finish(job, 'canceled', { nowMs: createdAt + 3, retention }));
    await made.recover();
    made.spoolResponse(lost);
    await made.recover();
    const rows = made.job().attempts.filter(({ startedAt }) => startedAt === lost.startedAt);
    expect(rows).toMatchObject([{ state: 'wasted', ...cost }]);
    expect(made.stored.size).toBe(0);
    expect(made.spooled.size).toBe(0);
  });

  it('is recorded as unusable under a row of its own if it holds no image', async () => {
    const made = onDisk([other]);
    made.spoolResponse(lost, 'no image');
    await made.recover();
    expect(made.job().attempts).toMatchObject([
      { no: 1, state: 'calling' },
      { no: 2, state: 'unusable', startedAt: lost.startedAt },
    ]);
    expect(made.spooled.size).toBe(0);
  });

  it('is not used as the response of that call, and the next run waits for its image instead of paying again', async () => {
    const made = onDisk([other]);
    expect(await made.run()).toMatchObject({ againInMs: expect.any(Number) });
    expect(made.job().images).toEqual([]);
    await expect(
      made.finalizeResponse(made.job(), other, { signal: new AbortController().signal }),
    ).rejects.toMatchObject({ failure: { kind: 'uncertain' } });
    await made.recover();
    expect(await made.run()).toEqual({ done: true });
    expect(made.job()).toMatchObject({ status: 'succeeded', images: [{ index: 0 }] });
    expect(made.calls).toHaveLength(0);
  });
});
