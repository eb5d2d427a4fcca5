import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEncryptedSecrets } from '../../../../src/lib/crypto/encrypted-secrets.ts';

const key = randomBytes(32);
const { seal, unseal } = createEncryptedSecrets(key);
const secret = `whsec_${randomBytes(32).toString('base64')}`;

describe('encrypted secrets', () => {
  it('decrypts a secret for its owner in every process with the same key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, owner) => {
        expect(createEncryptedSecrets(Buffer.from(key)).unseal(seal(text, owner), owner)).toBe(text);
      }),
    );
  });

  it('does not decrypt a secret for another owner', () => {
    const encrypted = seal(secret, 'whk_1');
    for (const other of ['whk_2', 'whk_', '', 'whk_10']) expect(() => unseal(encrypted, other)).toThrow();
  });

  it('does not decrypt a secret with another key', () => {
    const encrypted = seal(secret, 'whk_1');
    const other = Buffer.from(key);
    other.writeUInt8(other.readUInt8(31) ^ 1, 31);
    expect(() => createEncryptedSecrets(other).unseal(encrypted, 'whk_1')).toThrow();
    expect(() => createEncryptedSecrets(randomBytes(32)).unseal(encrypted, 'whk_1')).toThrow();
  });

  it('does not decrypt a secret with any flipped bit', () => {
    const encrypted = seal(secret, 'whk_1');
    const bytes = Buffer.from(encrypted.slice('v1.'.length), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => unseal(`v1.${altered.toString('base64url')}`, 'whk_1'), `bit ${bit}`).toThrow();
    }
  });

  it('does not decrypt a secret that is truncated, of another kind or empty', () => {
    const encrypted = seal(secret, 'whk_1');
    for (let length = 0; length < encrypted.length; length++)
      expect(() => unseal(encrypted.slice(0, length), 'whk_1'), `${length} characters`).toThrow();
    expect(() => unseal(encrypted.replace('v1.', 'v2.'), 'whk_1')).toThrow('another release');
  });

  it('encrypts the same secret differently each time and reveals nothing of it', () => {
    const encrypted = Array.from({ length: 100 }, () => seal(secret, 'whk_1'));
    expect(new Set(encrypted).size).toBe(100);
    for (const each of encrypted) expect(each).not.toContain(secret.slice('whsec_'.length, 20));
  });
});
