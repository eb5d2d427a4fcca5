import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';

/**
 * Links to files that Darkroom serves itself: they work without an API key until they expire, and for exactly the key,
 * content type and file name they were signed for. Signer and checker share only the signing key.
 */

/** What a link is good for. */
export interface FileLink {
  /** Storage key; its alphabet needs no escaping in a path. */
  readonly key: string;
  readonly expiresAtMs: number;
  readonly contentType: string;
  readonly fileName: string;
}

/** Signs links and checks them. */
export interface FileLinks {
  /** A path below the public address. Expiry is rounded down to seconds. */
  sign(link: FileLink): string;
  /**
   * Checks a link in constant time. `query` holds the decoded parameters as the HTTP server read them; a parameter given
   * twice (a list) makes the link invalid.
   *
   * @returns what was signed; `null` when the link is expired or was altered, without telling which.
   */
  verify(
    request: { readonly key: string; readonly query: Readonly<Record<string, unknown>> },
    nowMs: number,
  ): Pick<FileLink, 'contentType' | 'fileName'> | null;
}

const purpose = 'darkroom file link v1';
const minimumKeyBytes = 32;

/** @throws RangeError when the signing key has less than 32 bytes. */
export function createFileLinks(signingKey: Uint8Array): FileLinks {
  if (signingKey.length < minimumKeyBytes) {
    throw new RangeError(`The key that signs links needs at least ${minimumKeyBytes} bytes.`);
  }
  // A key of its own (RFC 5869), because the same secret serves other purposes elsewhere.
  const linkKey = createSecretKey(Buffer.from(hkdfSync('sha256', signingKey, '', purpose, 32)));
  const signatureOf = (...parts: readonly string[]) =>
    // JSON keeps the parts apart whatever they hold.
    createHmac('sha256', linkKey).update(JSON.stringify(parts)).digest('base64url');

  return {
    sign({ key, expiresAtMs, contentType, fileName }) {
      const expires = String(Math.floor(expiresAtMs / 1000));
      const signature = signatureOf(key, expires, contentType, fileName);
      const name = encodeURIComponent(fileName);
      const type = encodeURIComponent(contentType);
      return `/files/${key}?expires=${expires}&type=${type}&name=${name}&signature=${signature}`;
    },

    verify({ key, query }, nowMs) {
      const { expires, type, name, signature } = query;
      if (typeof expires !== 'string' || typeof type !== 'string') return null;
      if (typeof name !== 'string' || typeof signature !== 'string') return null;

      // Texts are compared, not the bytes they stand for: one base64url text per signature, so no second spelling passes.
      const expected = Buffer.from(signatureOf(key, expires, type, name));
      const given = Buffer.from(signature);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;

      return Number(expires) * 1000 > nowMs ? { contentType: type, fileName: name } : null;
    },
  };
}
