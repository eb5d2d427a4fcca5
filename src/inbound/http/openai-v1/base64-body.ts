import type { AsciiPiece } from './write-pieces.ts';

/** Returns the length of the base64 text of a number of bytes (RFC 4648, with padding). */
export const base64Length = (sizeBytes: number): number => 4 * Math.ceil(sizeBytes / 3);

/**
 * Encodes bytes as base64 while they are read. Holds at most one chunk and two bytes of the previous chunk.
 *
 * @returns pieces that together are the base64 of all bytes. A chunk should have at most 64 KiB, because V8 allocates the
 *   text of a larger one separately, which costs several times as much.
 */
export async function* base64Of(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<AsciiPiece, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const next = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // Only the group across two chunks is copied.
    const at = rest.length === 0 ? 0 : Math.min(3 - rest.length, next.length);
    const group = at === 0 ? rest : Buffer.concat([rest, next.subarray(0, at)]);
    if (group.length % 3 !== 0) {
      rest = group;
      continue;
    }
    const end = next.length - ((next.length - at) % 3);
    yield { ascii: group.toString('base64') + next.toString('base64', at, end) };
    // The bytes are copied, because the reader may reuse the memory of its chunk.
    rest = Buffer.from(next.subarray(end));
  }
  if (rest.length > 0) yield { ascii: rest.toString('base64') };
}
