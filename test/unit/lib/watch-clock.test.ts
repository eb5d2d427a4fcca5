import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchClock } from '../../../src/lib/watch-clock.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

/** Starts a watch of clocks that the test sets. */
function begin() {
  let [wallMs, monotonicMs] = [1_800_000_000_000, 5_000];
  const steps: number[] = [];
  const stop = watchClock((byMs) => void steps.push(byMs), {
    wallMs: () => wallMs,
    monotonicMs: () => monotonicMs,
  });
  return {
    steps,
    stop,
    /** Lets seconds pass, of which the wall clock shows some more or fewer milliseconds. */
    pass(seconds: number, moreMs = 0) {
      wallMs += moreMs;
      for (let i = 0; i < seconds; i++) {
        wallMs += 1_000;
        monotonicMs += 1_000;
        vi.advanceTimersByTime(1_000);
      }
    },
  };
}

it('reports once that the clock was set back, and by how much', () => {
  const { steps, pass } = begin();
  pass(10);
  pass(10, -3_600_000);
  expect(steps).toEqual([3_600_000]);
  pass(1, -2_000);
  expect(steps).toEqual([3_600_000, 2_000]);
});

it('reports neither a clock that was set forward nor the small corrections of a time service', () => {
  const { steps, pass } = begin();
  pass(1, 7_200_000);
  for (let i = 0; i < 3_600; i++) pass(1, -1);
  expect(steps).toEqual([]);
});

it('reports nothing after its end', () => {
  const { steps, stop, pass } = begin();
  stop();
  pass(10, -3_600_000);
  expect(steps).toEqual([]);
});
