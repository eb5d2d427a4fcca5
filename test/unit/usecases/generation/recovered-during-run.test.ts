import { describe, expect, it } from 'vitest';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt, imageOf } from '../../../support/jobs.ts';

const signal = new AbortController().signal;

/**
 * Creates a job for two images. A dead worker paid for the first one, and its response is recovered just before the next
 * run finalizes it.
 */
function overtaken(state: 'calling' | 'received', onUncertain: 'retry' | 'fail') {
  let recoverSpooled = async () => {};
  const made = generation({
    request: { n: 2 },
    onUncertain,
    // The other image takes longer than any possible outcome of the first.
    responses: [() => new Promise((resolve) => setImmediate(resolve, 'image'))],
    beforeMemorySlot: () => recoverSpooled(),
  });
  const receivedAt = createdAt + 600;
  const row = attemptOf({
    no: 1,
    index: 0,
    fence: 1,
    state,
    ...(state === 'received' ? { receivedAt } : {}),
  });
  made.set((job) => ({ ...beginRun(job, createdAt + 500), attempts: [row] }));
  made.spoolBody(1);
  recoverSpooled = async () => {
    recoverSpooled = async () => {};
    await made.finalizeResponse(made.job(), row, { signal });
  };
  return made;
}

describe('a paid response recovered during its finalization', () => {
  it.each([
    ['calling', 'retry'],
    ['calling', 'fail'],
    ['received', 'retry'],
    ['received', 'fail'],
  ] as const)(
    'does not pay again for a recovered response, and keeps its finalized row (%s, %s)',
    async (state, onUncertain) => {
      const made = overtaken(state, onUncertain);
      for (let runs = 0; runs < 2 && made.job().status !== 'succeeded'; runs++) await made.run();
      expect(made.calls).toHaveLength(1);
      expect(made.job()).toMatchObject({
        status: 'succeeded',
        images: [{ index: 0 }, { index: 1 }],
        attempts: [
          { no: 1, state: 'stored', index: 0 },
          { no: 2, state: 'stored', index: 1 },
        ],
      });
      expect(made.job().errors).toBeUndefined();
      expect(made.job().attempts[0]?.error).toBeUndefined();
    },
  );
});

describe('an image recorded just before its call', () => {
  it('makes no call for an image that was just recorded, and writes no row', async () => {
    const made = generation();
    let isRecovered = false;
    made.faults.spool.isFull = () => {
      // This is the last check before the row is written. Recovery records an older paid response during it.
      if (!isRecovered) made.set((job) => ({ ...job, images: [imageOf(job)] }));
      isRecovered = true;
      return false;
    };
    expect(await made.run()).toEqual({ done: true });
    expect(made.calls).toEqual([]);
    expect(made.job()).toMatchObject({ status: 'succeeded', attempts: [] });
  });
});
