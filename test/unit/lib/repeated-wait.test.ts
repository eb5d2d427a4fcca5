import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRepeatedWait } from '../../../src/lib/repeated-wait.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('reports after each time that the promise is pending, and that it has settled as soon as it has', async () => {
  let resolve = () => {};
  const wait = createRepeatedWait(new Promise<void>((done) => (resolve = done)));
  for (let i = 0; i < 3; i++) {
    const waited = wait(15_000);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await waited).toBe(false);
  }
  const waited = wait(15_000);
  await vi.advanceTimersByTimeAsync(1_000);
  resolve();
  expect(await waited).toBe(true);
  expect(await wait(15_000)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it('reports a rejection like a result, without an unhandled one', async () => {
  const failing = Promise.reject(new Error('store unavailable'));
  expect(await createRepeatedWait(failing)(1_000)).toBe(true);
  await expect(failing).rejects.toThrow('store unavailable');
});

it('leaves one reaction on the promise, however often it waits', async () => {
  const forever = new Promise<void>(() => {});
  const then = vi.spyOn(forever, 'then');
  const wait = createRepeatedWait(forever);
  for (let i = 0; i < 1_000; i++) {
    const waited = wait(15_000);
    await vi.advanceTimersByTimeAsync(15_000);
    await waited;
  }
  expect(then).toHaveBeenCalledTimes(1);
});
