import { describe, expect, it } from 'vitest';
import { publicMessage } from '../../../../../../src/outbound/providers/openai/client/public-message.ts';

describe('a provider text shown to a caller', () => {
  it('converts a provider text to one line', () => {
    expect(publicMessage(' a\r\n\tb\u0000\u0007c ')).toBe('a b c');
  });

  it.each([
    'sk-abcdef1234',
    'sk-proj-abc_DEF-123456',
    'sk-proj-************abcd',
    'key-0123456789',
    'Bearer abc.def.ghi',
    '0123456789abcdef0123456789abcdef',
    '0123456789abcdef0123456789abcdef.Zx9QwErTy7UiOp5A',
    'sk-proj.QWErtyUIOPasd7',
    'org-AbCdEfGhIjKlMnOpQrStUvWx',
    'proj_AbCdEfGhIjKlMnOpQrStUvWx',
  ])('removes %s from a provider text', (secret) => {
    expect(publicMessage(`Incorrect key ${secret}, see the manual`)).toMatch(
      /^Incorrect key \[redacted\],? see the manual$/,
    );
  });

  it('leaves ordinary words of a provider text unchanged', () => {
    const text =
      "Invalid value: '1024x1000'. Supported: gpt-image-2.6-sunburst, keyboard_shortcuts_are_not_a_secret.";
    expect(publicMessage(text)).toBe(text);
  });

  it('removes characters that turn or hide text', () => {
    expect(publicMessage('a\u202Eb\u2066c\u200Bd\uFEFF')).toBe('abcd');
  });

  it('truncates a provider text between code points', () => {
    const cut = publicMessage('😀'.repeat(400)) ?? '';
    expect([...cut]).toHaveLength(300);
    expect(cut.isWellFormed()).toBe(true);
    expect(publicMessage(`${'a'.repeat(1199)}😀`)?.isWellFormed()).toBe(true);
  });

  it.each([[null], [undefined], [7], [''], [' \n'], ['<html>x</html>']])(
    'shows no provider text for %j',
    (text) => {
      expect(publicMessage(text)).toBeNull();
    },
  );
});
