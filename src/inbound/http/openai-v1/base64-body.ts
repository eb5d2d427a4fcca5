/** Returns the length of the base64 text of a number of bytes (RFC 4648, with padding). */
export const base64Length = (sizeBytes: number): number => 4 * Math.ceil(sizeBytes / 3);

/**
 * Encodes bytes as base64 while they are read. Holds at most one chunk and two bytes of the previous chunk.
 *
 * @returns pieces of ASCII that together are the base64 of all bytes. They are bytes, because a socket would encode text a
 *   second time as UTF-8, which costs more than base64 itself.
 */
export async function* base64Of(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all =
      rest.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : Buffer.concat([rest, chunk]);
    const whole = all.length - (all.length % 3);
    if (whole > 0) yield asciiBytes(all.toString('base64', 0, whole));
    // The bytes are copied, because the reader may reuse the memory of its chunk.
    rest = Buffer.from(all.subarray(whole));
  }
  if (rest.length > 0) yield asciiBytes(rest.toString('base64'));
}

const asciiBytes = (text: string): Buffer => Buffer.from(text, 'latin1');
