import { describe, expect, it } from 'vitest';
import { createKeyText, digestHex, keyIdOf, sameDigest } from '../../../../src/lib/crypto/api-key-text.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('an API key', () => {
  it('creates API keys of the published form that contain their id', () => {
    const { id, key } = createKeyText();
    expect(key).toMatch(/^dkr_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    expect(keyIdOf(key)).toBe(id);
    expect(id).toBe(`key_${key.slice(4, 16)}`);
  });

  it('never repeats an id or a secret of an API key', () => {
    const made = Array.from({ length: 2_000 }, createKeyText);
    expect(new Set(made.map(({ id }) => id)).size).toBe(2_000);
    expect(new Set(made.map(({ key }) => key.slice(17))).size).toBe(2_000);
  });

  it('refuses an API key with one changed character', () => {
    const { key } = createKeyText();
    for (let position = 0; position < key.length; position++) {
      for (const other of `${alphabet}_- `) {
        if (other === key[position]) continue;
        expect(keyIdOf(key.slice(0, position) + other + key.slice(position + 1))).toBeNull();
      }
    }
  });

  it('refuses an API key with two swapped neighboring characters', () => {
    const { key } = createKeyText();
    for (let position = 0; position + 1 < key.length; position++) {
      const [a, b] = [key[position], key[position + 1]];
      if (a === b) continue;
      expect(keyIdOf(key.slice(0, position) + b + a + key.slice(position + 2))).toBeNull();
    }
  });

  it.each(['', 'dkr_', 'sk-abc', `dkr_${'0'.repeat(12)}_${'0'.repeat(49)}`])(
    'refuses %j as an API key',
    (text) => {
      expect(keyIdOf(text)).toBeNull();
    },
  );

  it('refuses an API key with additional characters before or after it', () => {
    const { key } = createKeyText();
    for (const text of [` ${key}`, `${key} `, `${key}\n`, `${key}0`, key.slice(0, -1)])
      expect(keyIdOf(text)).toBeNull();
  });
});

describe('digests', () => {
  it('compares digests as equal only for equal texts', () => {
    expect(digestHex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sameDigest(digestHex('abc'), digestHex('abc'))).toBe(true);
    expect(sameDigest(digestHex('abc'), digestHex('abd'))).toBe(false);
  });

  it('compares digests of different lengths without an error', () => {
    expect(sameDigest('', digestHex('abc'))).toBe(false);
    expect(sameDigest('ä'.repeat(32), '0'.repeat(64))).toBe(false);
  });
});
