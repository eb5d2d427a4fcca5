import { describe, expect, it } from 'vitest';
import { createTurns } from '../../../src/lib/turns.ts';

const nextIteration = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('turns of the event loop', () => {
  it('begin in the order of their calls, as many in one iteration as allowed', async () => {
    const turn = createTurns(2);
    const begun: number[] = [];
    for (const no of [1, 2, 3, 4, 5]) void turn().then(() => begun.push(no));
    expect(begun).toEqual([]);
    const iterations: number[][] = [];
    while (begun.length < 5) {
      await nextIteration();
      iterations.push([...begun]);
    }
    expect(iterations).toEqual([
      [1, 2],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5],
    ]);
  });

  it('let other callbacks run between two turns of a loop that is always ready', async () => {
    const turn = createTurns(1);
    let others = 0;
    const count = () => {
      others += 1;
      if (others < 10) setImmediate(count);
    };
    setImmediate(count);
    for (let no = 0; no < 10; no += 1) await turn();
    expect(others).toBeGreaterThanOrEqual(9);
  });

  it('begin again after a time without any', async () => {
    const turn = createTurns(1);
    await turn();
    await nextIteration();
    await expect(turn()).resolves.toBeUndefined();
  });
});
