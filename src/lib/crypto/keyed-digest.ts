import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';

const purpose = 'darkroom idempotency fingerprint v1';

/**
 * Makes digests (HMAC-SHA-256, base64url) that can be compared but not made again without the key: a text that is easy to
 * guess cannot be confirmed by its digest.
 */
export function createKeyedDigest(secretsKey: Uint8Array): (text: string) => string {
  // A key of its own (RFC 5869), because the same secret serves other purposes elsewhere.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secretsKey, '', purpose, 32)));
  return (text) => createHmac('sha256', key).update(text).digest('base64url');
}
