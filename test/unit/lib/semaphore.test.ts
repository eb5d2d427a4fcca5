import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../../src/lib/semaphore.ts';

const never = new AbortController().signal;

/** Creates work that lasts until the test ends it. */
function lasting() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

describe('createSemaphore', () => {
  it('runs at most the maximum of work at a time and starts the rest in order of arrival', async () => {
    const inPlace = createSemaphore(2);
    const begun: number[] = [];
    const works = [0, 1, 2, 3].map(lasting);
    const all = works.map(({ work }, i) =>
      inPlace(() => {
        begun.push(i);
        return work();
      }, never),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    works[1]?.end();
    await all[1];
    await expect.poll(() => begun).toEqual([0, 1, 2]);
    for (const { end } of works) end();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('stops waiting for a slot when the signal aborts, and does not start the work', async () => {
    const inPlace = createSemaphore(1);
    const holder = lasting();
    const held = inPlace(holder.work, never);
    const stop = new AbortController();
    const waiting = inPlace(async () => 'done', stop.signal);
    stop.abort();
    expect(await waiting).toBeNull();
    expect(await inPlace(async () => 'done', stop.signal)).toBeNull();
    holder.end();
    await held;
    expect(await inPlace(async () => 'done', never)).toBe('done');
  });

  it('runs work in a free slot even if its signal is already aborted', async () => {
    expect(await createSemaphore(1)(async () => 'done', AbortSignal.abort())).toBe('done');
  });

  it('frees the slots of failed work and of aborted waiters', async () => {
    const inPlace = createSemaphore(2);
    for (let round = 0; round < 20; round++) {
      const stop = new AbortController();
      const holders = [lasting(), lasting()];
      const held = holders.map(({ work }) => inPlace(work, never));
      const waiters = [stop.signal, never, stop.signal, never].map((signal) =>
        inPlace(() => Promise.reject(new Error('broken')), signal),
      );
      // Both happen at the same time: a waiter gets a slot and is aborted.
      for (const { end } of holders) end();
      if (round % 2 === 0) await held[0];
      stop.abort();
      await Promise.allSettled([...held, ...waiters]);
    }
    const last = [lasting(), lasting()];
    let begun = 0;
    const both = last.map(({ work }) =>
      inPlace(() => {
        begun += 1;
        return work();
      }, never),
    );
    await expect.poll(() => begun).toBe(2);
    for (const { end } of last) end();
    await Promise.all(both);
  });
});
