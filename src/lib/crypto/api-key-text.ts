import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * Text form of an API key: `dkr_<id>_<secret><checksum>`. The fixed prefix and the checksum let secret scanners find
 * leaked keys without false alarms. SECURITY.md publishes the pattern.
 *
 * id: 12 characters, secret: 43 characters of base62 (256 bits), checksum: 6 characters, CRC-32 of all before it.
 */

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const pattern = /^dkr_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;

const idPrefix = 'key_';

/** Creates the text of a key. Without `of` the key gets a new id, otherwise it is another text for that id. */
export function createKeyText(of?: string): { id: string; key: string } {
  const id = of?.slice(idPrefix.length) ?? base62(BigInt(`0x${randomBytes(16).toString('hex')}`), 12);
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), 43);
  const body = `dkr_${id}_${secret}`;
  return { id: idPrefix + id, key: body + checksum(body) };
}

/** Returns the id inside a key, or `null` if its form or checksum is wrong. */
export function keyIdOf(key: string): string | null {
  const match = pattern.exec(key);
  if (!match || checksum(key.slice(0, -6)) !== match[3]) return null;
  return idPrefix + match[1];
}

/** Returns the SHA-256 of a text in hex. */
export function digestHex(text: string | Buffer): string {
  return hash('sha256', text, 'hex');
}

/** Compares two digests of equal length in constant time. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function checksum(text: string): string {
  return base62(BigInt(crc32(text)), 6);
}

/** Encodes a number in base 62 with a fixed length. Higher digits are dropped. */
function base62(value: bigint, length: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < length; i++) {
    text = (alphabet[Number(rest % 62n)] ?? '0') + text;
    rest /= 62n;
  }
  return text;
}
