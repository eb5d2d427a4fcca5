import { once } from 'node:events';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createInflate, createInflateRaw, createUnzip } from 'node:zlib';

/** Begins of JSON, markup and event streams, after a byte order mark. A compressed body has other bytes there. */
const textStart = /^(?:\u00ef\u00bb\u00bf)?\s{0,64}(?:[{[]\s{0,64}["{[\]}]|<[!/a-zA-Z]|data:|event:|:)/;
const knownCoding = /^(?:x-)?gzip$|^deflate$|^br$/;
/** Limits the work for a header that lists many codings. */
const maxCodings = 3;

/**
 * Decompresses a body. The request accepts no compression, but some gateways compress regardless, and some name an encoding
 * that the body does not have. The first bytes decide: a body that does not begin as its encoding says passes unchanged.
 */
export async function unpackBody(body: Readable, encoding: string | string[] | undefined): Promise<Readable> {
  const codings = [encoding ?? '']
    .flat()
    .join(',')
    .toLowerCase()
    .split(',')
    .map((each) => each.trim())
    .filter((each) => knownCoding.test(each))
    .slice(0, maxCodings);
  let unpacked = body;
  for (const coding of codings.reverse()) {
    const unpack = unpackerOf(coding, await beginningOf(unpacked));
    // An error of either stream destroys the other, so the reader receives it. The callback needs no action.
    if (unpack) unpacked = pipeline(unpacked, unpack, () => {});
  }
  return unpacked;
}

/** Returns the decompressor of a body, `null` if the body is not compressed. @param start the first bytes, as latin1. */
function unpackerOf(coding: string, start: string): Transform | null {
  if (start.startsWith('\x1f\x8b')) return createUnzip();
  if (start === '' || textStart.test(start)) return null;
  if (coding === 'br') return createBrotliDecompress();
  if (coding !== 'deflate') return null;
  // Some servers send the raw format under this name (RFC 9110, section 8.4.1.2).
  return hasZlibHeader(start) ? createInflate() : createInflateRaw();
}

/** Returns whether bytes begin with the header of RFC 1950, section 2.2. */
function hasZlibHeader(start: string): boolean {
  const [method, flags] = [start.charCodeAt(0), start.charCodeAt(1)];
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0;
}

/** Returns the first bytes of a body as text, without consuming them. Empty if the body is empty. */
async function beginningOf(body: Readable): Promise<string> {
  if (body.readableLength === 0 && !body.readableEnded) await once(body, 'readable');
  const first: Buffer | null = body.read();
  if (first === null) return '';
  body.unshift(first);
  return first.toString('latin1', 0, 160);
}
