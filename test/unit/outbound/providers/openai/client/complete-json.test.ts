import { describe, expect, it } from 'vitest';
import { completeJson } from '../../../../../../src/outbound/providers/openai/client/complete-json.ts';

describe('the completion of JSON that was cut off', () => {
  it('keeps every complete member, wherever the JSON was cut', () => {
    const whole = { error: { code: 'x', list: [1, { a: 'b\\"\u00fc,{' }], message: 'say "hi"' }, more: null };
    const text = JSON.stringify(whole).replace('\u00fc', '\\u00fc');
    for (let length = text.indexOf('"list"'); length <= text.length; length++) {
      expect(JSON.parse(completeJson(text.slice(0, length)))).toMatchObject({ error: { code: 'x' } });
    }
    expect(JSON.parse(completeJson(text))).toEqual(whole);
  });

  it.each(['', 'error code: 1020', '<html><p>a, b', '{]', '"text'])('leaves %j as it is', (text) => {
    expect(completeJson(text)).toBe(text);
  });

  it('keeps the start of a text that was cut', () => {
    expect(JSON.parse(completeJson('{"error":{"message":"too lo'))).toEqual({ error: { message: 'too lo' } });
  });
});
