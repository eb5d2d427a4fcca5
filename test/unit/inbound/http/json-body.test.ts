import { describe, expect, it } from 'vitest';
import { measure } from '../../../../src/inbound/http/json-body.ts';

const limit = 10_000;
const isDense = (text: string) => measure(Buffer.from(text), limit).isDense;

describe('the measures of a JSON text', () => {
  it('count nesting and members besides strings', () => {
    expect(measure(Buffer.from('{"a":{"b":["{:[",{"c":"\\"}"}]}}'))).toEqual({
      depth: 4,
      members: 3,
      isDense: false,
    });
  });

  it.each(['[],', '"",', '1,', '{},', '[', ':', '"aaaaaaaa",'])(
    'are dense if a long text repeats %j',
    (part) => {
      expect(isDense(part.repeat(2 * limit))).toBe(true);
      expect(isDense(part.repeat(10))).toBe(false);
    },
  );

  it('are not dense because of long strings', () => {
    expect(isDense(`{"images":[{"data":"${'A'.repeat(50 * limit)}"}]}`)).toBe(false);
  });
});
