import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { every } from '../../../src/lib/every.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const noError = (error: unknown) => {
  throw error;
};

describe('every', () => {
  it('runs periodic work after one pause, or immediately on request', async () => {
    const [late, maxConcurrent] = [vi.fn(async () => {}), vi.fn(async () => {})];
    every(1_000, late, { onError: noError });
    every(1_000, maxConcurrent, { onError: noError, firstAfterMs: 0 });
    await vi.advanceTimersByTimeAsync(999);
    expect([late, maxConcurrent].map((work) => work.mock.calls.length)).toEqual([0, 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect([late, maxConcurrent].map((work) => work.mock.calls.length)).toEqual([1, 2]);
  });

  it('never overlaps runs, because the pause starts at the end of a run', async () => {
    const work = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 5_000)));
    every(1_000, work, { onError: noError });
    await vi.advanceTimersByTimeAsync(6_999);
    expect(work).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('continues after a failed run and reports the failure', async () => {
    const onError = vi.fn();
    const work = vi.fn(() => Promise.reject(new Error('Redis cannot be reached')));
    every(1_000, work, { onError });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(work).toHaveBeenCalledTimes(2);
    expect(onError).toHaveBeenCalledTimes(2);
  });

  it('stops after the current run has ended and starts no other', async () => {
    const work = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 2_000)));
    const stop = every(1_000, work, { onError: noError });
    await vi.advanceTimersByTimeAsync(1_000);
    let stopped = false;
    const stopping = stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(1_999);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await stopping;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('stops after three seconds although a dependency of the current run does not respond', async () => {
    const work = vi.fn(() => new Promise<void>(() => {}));
    const stop = every(1_000, work, { onError: noError });
    await vi.advanceTimersByTimeAsync(1_000);
    const stopped = vi.fn();
    void stop().then(stopped);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(stopped).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(stopped).toHaveBeenCalled();
  });
});
