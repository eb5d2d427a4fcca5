import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts secrets that have to be read again. */
export interface EncryptedSecrets {
  /** @param owner whose secret it is; it can be opened for this owner only. */
  seal(secret: string, owner: string): string;
  /** @throws Error when it was altered, or sealed for another owner or with another key. */
  unseal(encrypted: string, owner: string): string;
}

const algorithm = 'aes-256-gcm';
const version = 'v1';
const nonceBytes = 12;
const tagBytes = 16;

/** AES-256-GCM under a key derived (RFC 5869) from the deployment's one, with the owner as associated data. */
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
      if (kind !== version) throw new Error('the secret was sealed by another release');
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
