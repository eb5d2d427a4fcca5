import { createReadStream } from 'node:fs';
import type { Scan } from './scan.ts';

/** Returns the bytes of a file without its metadata. Holds one chunk in memory. */
export async function* withoutMetadata(
  path: string,
  { metadata, patches }: Pick<Scan, 'metadata' | 'patches'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  let next = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const start = position;
    position += chunk.length;
    for (const patch of patches) writeAcross(chunk, start, patch);
    let offset = 0;
    for (let range = metadata[next]; range && range.start < position; range = metadata[next]) {
      if (range.start > start + offset) yield chunk.subarray(offset, range.start - start);
      offset = Math.min(range.end - start, chunk.length);
      if (range.end > position) break;
      next += 1;
    }
    if (offset < chunk.length) yield chunk.subarray(offset);
  }
}

/** Writes the part of a patch that lies in a chunk. */
function writeAcross(chunk: Buffer, start: number, patch: Scan['patches'][number]): void {
  for (const [i, byte] of patch.bytes.entries()) {
    const at = patch.start + i - start;
    if (at >= 0 && at < chunk.length) chunk[at] = byte;
  }
}
