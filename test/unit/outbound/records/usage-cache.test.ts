import { expect, it } from 'vitest';
import { createUsageCache } from '../../../../src/outbound/records/usage-cache.ts';

const itemsOf = (count: number): number[] => Array.from({ length: count }, (_, no) => no);
const listOf = (bucket: string, grouping = '') => ({ bucket, grouping });

it('returns cached usage only at the same stamp and in the same grouping', () => {
  const cache = createUsageCache<number>(10);
  const items = itemsOf(3);
  cache.set(listOf('a'), 'v1', items);
  expect(cache.get(listOf('a'), 'v1')).toBe(items);
  expect(cache.get(listOf('a'), 'v2')).toBeUndefined();
  expect(cache.get(listOf('a', 'by key'), 'v1')).toBeUndefined();
});

it('deletes all cached groupings of a day, and no other day', () => {
  const cache = createUsageCache<number>(10);
  for (const bucket of ['d:2', 'd:20']) {
    for (const grouping of ['', 'by key']) cache.set(listOf(bucket, grouping), 'v', itemsOf(1));
  }
  cache.delete('d:2');
  const isHeld = (bucket: string, grouping: string) => cache.get(listOf(bucket, grouping), 'v') !== undefined;
  expect(['', 'by key'].map((grouping) => isHeld('d:2', grouping))).toEqual([false, false]);
  expect(['', 'by key'].map((grouping) => isHeld('d:20', grouping))).toEqual([true, true]);
});

it('bounds the number of cached items of usage and drops lists that were used longest ago', () => {
  const cache = createUsageCache<number>(10);
  for (const bucket of ['a', 'b']) cache.set(listOf(bucket), 'v', itemsOf(4));
  cache.get(listOf('a'), 'v');
  cache.set(listOf('a'), 'v', itemsOf(5));
  cache.set(listOf('c'), 'v', itemsOf(4));
  expect(['a', 'b', 'c'].map((name) => cache.get(listOf(name), 'v')?.length)).toEqual([5, undefined, 4]);
  cache.set(listOf('large'), 'v', itemsOf(11));
  expect(cache.get(listOf('large'), 'v')).toBeUndefined();
  expect(cache.get(listOf('c'), 'v')).toHaveLength(4);
});
