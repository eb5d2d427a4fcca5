import { describe, expect, it } from 'vitest';
import { typedFields } from '../../../../src/inbound/http/form-fields.ts';

const named = {
  Reasoning: { type: 'object', properties: { effort: { type: 'string' }, budget: { type: 'integer' } } },
};
const schema = {
  properties: {
    n: { type: 'integer' },
    stream: { type: 'boolean' },
    prompt: { type: 'string' },
    svg: { type: 'object', properties: { model: { type: 'string' }, reasoning: { $ref: 'Reasoning#' } } },
    metadata: { type: 'object' },
  },
};
const fieldsOf = (fields: Record<string, string>) =>
  typedFields(new Map(Object.entries(fields)), schema, (name) => named[name as 'Reasoning']);

describe('typedFields', () => {
  it('converts the texts of a form to the types of the schema', () => {
    expect(fieldsOf({ n: '2', stream: 'true', prompt: '7', other: '1' })).toEqual({
      n: 2,
      stream: true,
      prompt: '7',
      other: '1',
    });
  });

  it('converts members in brackets to a nested value with the types of its schema', () => {
    const fields = {
      'svg[model]': '5',
      'svg[reasoning][effort]': 'low',
      'svg[reasoning][budget]': '3',
      'metadata[campaign]': '12',
    };
    expect(fieldsOf(fields)).toEqual({
      svg: { model: '5', reasoning: { effort: 'low', budget: 3 } },
      metadata: { campaign: '12' },
    });
  });

  it.each([
    [{ svg: '{}', 'svg[model]': 'a' }, 'occurs more than once'],
    [{ 'svg[__proto__]': 'a' }, 'must not hold a field named __proto__'],
    [{ 'svg[reasoning][__proto__][x]': 'a' }, 'must not hold a field named __proto__'],
  ])('refuses %j', (fields, detail) => {
    expect(() => fieldsOf(fields as Record<string, string>)).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ detail })] }),
    );
  });

  it('refuses a name that occurs twice in the JSON of a field, with its pointer', () => {
    const issues = [{ pointer: '/svg/reasoning/effort', detail: 'occurs more than once' }];
    expect(() => fieldsOf({ svg: '{"reasoning":{"effort":"low","\\u0065ffort":"high"}}' })).toThrow(
      expect.objectContaining({ issues }),
    );
  });

  it('preserves a name whose brackets are no member', () => {
    expect(fieldsOf({ 'svg[]': 'a', '[x]': 'b', 'svg[a': 'c' })).toEqual({
      'svg[]': 'a',
      '[x]': 'b',
      'svg[a': 'c',
    });
  });
});
