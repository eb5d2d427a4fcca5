import { expect, it } from 'vitest';
import { emptySums, type UsageRow } from '../../../../src/domain/usage.ts';
import { createUsageCache } from '../../../../src/outbound/records/usage-cache.ts';

const rowsOf = (count: number): UsageRow[] =>
  Array.from({ length: count }, (_, day) => ({
    day,
    labels: { model: null, keyId: null, metadata: {} },
    provider: null,
    sums: emptySums(),
  }));

it('returns cached usage only at the same stamp', () => {
  const cache = createUsageCache(10);
  const rows = rowsOf(3);
  cache.set('a', 'v1', rows);
  expect(cache.get('a', 'v1')).toBe(rows);
  expect(cache.get('a', 'v2')).toBeUndefined();
  cache.delete('a');
  expect(cache.get('a', 'v1')).toBeUndefined();
});

it('bounds the number of cached rows and drops those that were used longest ago', () => {
  const cache = createUsageCache(10);
  for (const name of ['a', 'b']) cache.set(name, 'v', rowsOf(4));
  cache.get('a', 'v');
  cache.set('a', 'v', rowsOf(5));
  cache.set('c', 'v', rowsOf(4));
  expect(['a', 'b', 'c'].map((name) => cache.get(name, 'v')?.length)).toEqual([5, undefined, 4]);
  cache.set('large', 'v', rowsOf(11));
  expect(cache.get('large', 'v')).toBeUndefined();
  expect(cache.get('c', 'v')).toHaveLength(4);
});
