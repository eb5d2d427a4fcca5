import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encryption of secrets that must be readable later. */
export interface EncryptedSecrets {
  /** Encrypts a secret. Decryption succeeds only for the same owner. */
  seal(secret: string, owner: string): string;
  /** Decrypts a secret. @throws Error if the text was changed, or encrypted for another owner or with another key. */
  unseal(encrypted: string, owner: string): string;
}

const algorithm = 'aes-256-gcm';
const version = 'v1';
const nonceBytes = 12;
const tagBytes = 16;

/** Encrypts with AES-256-GCM, a key derived (RFC 5869) from SECRETS_KEY, and the owner as associated data. */
export function createEncryptedSecrets(secretsKey: Buffer): EncryptedSecrets {
  const key = Buffer.from(hkdfSync('sha256', secretsKey, '', 'darkroom sealed secrets v1', 32));
  return {
    seal(secret, owner) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(owner));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return `${version}.${Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')}`;
    },
    unseal(encrypted, owner) {
      const [kind, encoded = ''] = encrypted.split('.');
      if (kind !== version) throw new Error('the secret was encrypted by another release');
      const bytes = Buffer.from(encoded, 'base64url');
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      }).setAAD(Buffer.from(owner));
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const text = decipher.update(bytes.subarray(nonceBytes + tagBytes));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    },
  };
}
