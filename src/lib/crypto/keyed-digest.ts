import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';

const fingerprints = 'darkroom idempotency fingerprint v1';

/**
 * Creates a function that returns keyed digests (HMAC-SHA-256, base64url). Without the key a digest does not confirm a
 * guessed text.
 *
 * @param purpose separates digests of different uses. Default: fingerprints of requests.
 */
export function createKeyedDigest(
  secretsKey: Uint8Array,
  purpose: string = fingerprints,
): (text: string) => string {
  // The key is derived (RFC 5869), because the same secret has other purposes too.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secretsKey, '', purpose, 32)));
  return (text) => createHmac('sha256', key).update(text).digest('base64url');
}
