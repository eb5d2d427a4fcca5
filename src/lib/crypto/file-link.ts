import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';

/**
 * Signed links to files that this service serves. A link works without an API key until it expires, for exactly the storage
 * key, content type and file name that were signed.
 */

/** The signed values of a link. */
export interface FileLink {
  /** Storage key. Its characters need no escaping in a path. */
  readonly key: string;
  readonly expiresAtMs: number;
  readonly contentType: string;
  readonly fileName: string;
}

/** Signer and verifier of links. */
export interface FileLinks {
  /** Returns a path below the public address. The expiry is rounded down to seconds. */
  sign(link: FileLink): string;
  /**
   * Verifies a link in constant time. `query` contains the decoded parameters of the HTTP server. A repeated parameter (a
   * list) makes the link invalid.
   *
   * @returns the signed values, or `null` if the link is expired or was changed.
   */
  verify(
    request: { readonly key: string; readonly query: Readonly<Record<string, unknown>> },
    nowMs: number,
  ): Pick<FileLink, 'contentType' | 'fileName' | 'expiresAtMs'> | null;
}

const purpose = 'darkroom file link v1';
const minimumKeyBytes = 32;

/** Creates a signer and verifier. @throws RangeError if the signing key has less than 32 bytes. */
export function createFileLinks(signingKey: Uint8Array): FileLinks {
  if (signingKey.length < minimumKeyBytes) {
    throw new RangeError(`The signing key of links must have at least ${minimumKeyBytes} bytes.`);
  }
  // The key is derived (RFC 5869), because the same secret has other purposes too.
  const linkKey = createSecretKey(Buffer.from(hkdfSync('sha256', signingKey, '', purpose, 32)));
  const signatureOf = (...parts: readonly string[]) =>
    // JSON separates the parts unambiguously.
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

      // Texts are compared instead of decoded bytes, because a signature has several base64url spellings.
      const expected = Buffer.from(signatureOf(key, expires, type, name));
      const given = Buffer.from(signature);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;

      const expiresAtMs = Number(expires) * 1000;
      return expiresAtMs > nowMs ? { contentType: type, fileName: name, expiresAtMs } : null;
    },
  };
}
