import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from '../../../src/domain/iso-time.ts';

it('formats every time as toISOString does, in any order of days', () => {
  const anyTime = fc.oneof(
    fc.integer({ min: -1e13, max: 4e12 }),
    fc.integer({ min: -200_000, max: 200_000 }),
  );
  fc.assert(
    fc.property(fc.array(anyTime, { maxLength: 8 }), (times) => {
      expect(times.map(isoTime)).toEqual(times.map((ms) => new Date(ms).toISOString()));
    }),
  );
});

it('rejects a time that no date can express', () => {
  expect(() => isoTime(9e15)).toThrow(RangeError);
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
});
