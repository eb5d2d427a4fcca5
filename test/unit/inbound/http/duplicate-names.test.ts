import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDuplicateName } from '../../../../src/inbound/http/duplicate-names.ts';

describe('a name that occurs twice in one object', () => {
  it.each([
    ['{"prompt":"a","prompt":"b"}', ['prompt']],
    ['{"a":{"b":[{},{"c":1,"d":2,"c":3}]}}', ['a', 'b', '1', 'c']],
    ['{"a":1,"b":{"a":1},"a":2}', ['a']],
    [String.raw`{"prompt":1,"pr\u006fmpt":2}`, ['prompt']],
    [String.raw`{"a\"b":1,"a\"b":2}`, ['a"b']],
    ['{"a":"{\\"b\\":1,\\"b\\":2}","c":[",",":"],"a":1}', ['a']],
    ['{"":1,"":2}', ['']],
    ['[{"a":1},{"a":1,"a":1}]', ['1', 'a']],
  ])('a duplicate name is found with the path to it: %s', (text, path) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(findDuplicateName(text)).toEqual(path);
  });

  it('finds no duplicate in the text of any value, because an object holds each name once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        expect(findDuplicateName(JSON.stringify(value, null, indent))).toBeNull();
      }),
    );
  });
});
