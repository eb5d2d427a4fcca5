import { once } from 'node:events';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createUnzip } from 'node:zlib';

/** Begins of JSON, markup and event streams. A compressed body has other bytes there. */
const textStart = /^\s{0,64}(?:[{[]\s{0,64}["{[\]}]|<[!/a-zA-Z]|data:|event:|:)/;

/**
 * Decompresses a body. The request accepts no compression, but some gateways compress regardless, and some name an encoding
 * that the body does not have. A body of an unknown encoding, and one that begins as text, passes unchanged.
 */
export async function unpackBody(body: Readable, encoding: string | string[] | undefined): Promise<Readable> {
  const name = [encoding ?? ''].flat().join(',').trim().toLowerCase();
  const create =
    name === 'br' ? createBrotliDecompress : /^(?:x-)?gzip$|^deflate$/.test(name) ? createUnzip : null;
  if (!create || textStart.test(await beginningOf(body))) return body;
  // An error of either stream destroys the other, so the reader receives it. The callback needs no action.
  return pipeline(body, create(), () => {});
}

/** Returns the first bytes of a body as text, without consuming them. Empty if the body is empty. */
async function beginningOf(body: Readable): Promise<string> {
  if (body.readableLength === 0 && !body.readableEnded) await once(body, 'readable');
  const first: Buffer | null = body.read();
  if (first === null) return '';
  body.unshift(first);
  return first.toString('latin1', 0, 160);
}
