import { describe, expect, it } from 'vitest';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';

const signal = new AbortController().signal;

/**
 * A job for two images, whose first one was paid for by a worker that died. Its answer is handed in just when the next
 * execution is about to settle it.
 */
function overtaken(state: 'calling' | 'received', onUncertain: 'retry' | 'fail') {
  let recoverSpooled = async () => {};
  const made = generation({
    request: { n: 2 },
    onUncertain,
    // The other image takes longer than anything that can become of the first.
    responses: [() => new Promise((resolve) => setImmediate(resolve, 'image'))],
    meanwhile: () => recoverSpooled(),
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

describe('a paid answer that is handed in while an execution is about to settle it', () => {
  it.each([
    ['calling', 'retry'],
    ['calling', 'fail'],
    ['received', 'retry'],
    ['received', 'fail'],
  ] as const)(
    'is not paid for again, and its row stays as it was settled (%s, %s)',
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

describe('an image that is entered just before its call', () => {
  it('is not paid for: the row of the call is not written', async () => {
    const made = generation();
    let entered = false;
    Object.defineProperty(made.faults, 'roomless', {
      get() {
        // The last question before the row: meanwhile somebody hands in what was paid for long ago.
        if (!entered) {
          entered = true;
          const image = {
            index: 0,
            storageKey: 'acme/img/0.png',
            contentType: 'image/png',
            width: 1,
            height: 1,
          };
          made.set((job) => ({ ...job, images: [{ ...image, sizeBytes: 1, sha256: '0'.repeat(64) }] }));
        }
        return false;
      },
    });
    expect(await made.run()).toEqual({ done: true });
    expect(made.calls).toEqual([]);
    expect(made.job()).toMatchObject({ status: 'succeeded', attempts: [] });
  });
});
