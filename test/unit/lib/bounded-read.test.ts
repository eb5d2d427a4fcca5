import { expect, it, vi } from 'vitest';
import { createBoundedRead } from '../../../src/lib/bounded-read.ts';

const never = () => new Promise<never>(() => {});

it('rejects work that is late, and skips further work during the pause', async () => {
  const read = createBoundedRead({ maxMs: 10, pauseMs: 60_000 });
  await expect(read(never)).rejects.toThrow('no response in time');
  const skipped = vi.fn();
  expect(await read(skipped)).toBeNull();
  expect(skipped).not.toHaveBeenCalled();
});

it('does work again after the pause', async () => {
  const read = createBoundedRead({ maxMs: 10, pauseMs: 0 });
  await expect(read(never)).rejects.toThrow('no response in time');
  expect(await read(async () => 'read')).toBe('read');
});

it('skips nothing after work that failed in time', async () => {
  const read = createBoundedRead({ maxMs: 10_000, pauseMs: 60_000 });
  await expect(read(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  expect(await read(async () => 'read')).toBe('read');
});
