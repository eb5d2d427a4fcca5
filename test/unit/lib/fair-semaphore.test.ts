import { expect, it } from 'vitest';
import { createFairSemaphore } from '../../../src/lib/fair-semaphore.ts';

it('passes free slots to the waiting groups in turns, and within a group in the order of arrival', async () => {
  const inTurn = createFairSemaphore(1);
  const begun: string[] = [];
  const run = (group: string, no: number) =>
    inTurn(group, async () => {
      begun.push(`${group}${no}`);
    });
  await Promise.all([run('a', 1), run('a', 2), run('a', 3), run('b', 1), run('c', 1), run('b', 2)]);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
});

it('frees the slot of work that fails, and runs as much work at once as it has slots', async () => {
  const inTurn = createFairSemaphore(2);
  await expect(inTurn('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  let running = 0;
  let most = 0;
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
  };
  await Promise.all(['a', 'a', 'b', 'b', 'b'].map((group) => inTurn(group, work)));
  expect(most).toBe(2);
});
