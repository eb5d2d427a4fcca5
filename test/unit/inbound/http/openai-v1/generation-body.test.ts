import { describe, expect, it } from 'vitest';
import { withoutNulls } from '../../../../../src/inbound/http/openai-v1/generation-body.ts';

describe('withoutNulls', () => {
  it('removes members that are null, at every depth', () => {
    expect(withoutNulls({ a: null, b: 1, c: { d: null, e: 'x' } })).toEqual({ b: 1, c: { e: 'x' } });
  });

  it('removes an object whose members are all null, as the SDK sends it for an omitted field', () => {
    expect(withoutNulls({ svg: { model: null, reasoning: { effort: null } } })).toEqual({});
  });

  it('preserves empty objects, empty lists and values that are not objects', () => {
    expect(withoutNulls({ a: {}, b: [], c: 0, d: '', e: false })).toEqual({
      a: {},
      b: [],
      c: 0,
      d: '',
      e: false,
    });
    expect(withoutNulls(null)).toBeNull();
  });
});
