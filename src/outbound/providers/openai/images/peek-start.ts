/** The start of a body, and the whole body. */
interface PeekedBody {
  /** The first bytes without white space in front, at most a few thousand. */
  readonly start: Buffer;
  readonly isEventStream: boolean;
  /** The whole body. Its owner must call `return` if it stops early. */
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
}

/** Number of bytes that tell an event stream from every other body. */
const enoughBytes = 2_048;
const maxHeldBytes = 64 * 1024;
const eventStream = /^(?:event|data(?!:[A-Za-z]{1,20}\/)|id|retry|)\s{0,4}:/;

/**
 * Reads as much of a body as its kind needs. A server that ignores `stream` sends JSON, and a gateway may stream unasked, so
 * only the bytes decide.
 */
export async function peekStart(response: AsyncIterable<Uint8Array>): Promise<PeekedBody> {
  const chunks = response[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let start: Buffer = Buffer.alloc(0);
  let heldBytes = 0;
  try {
    while (start.length < enoughBytes && heldBytes < maxHeldBytes) {
      const next = await chunks.next();
      if (next.done) break;
      held.push(next.value);
      heldBytes += next.value.byteLength;
      start = trimmedStart(Buffer.concat([start, next.value.subarray(0, enoughBytes)]));
      // The first byte of JSON decides, so nothing is delayed.
      if (start[0] === openBrace) break;
      if (eventStream.test(start.toString('latin1'))) break;
    }
  } catch (error) {
    await chunks.return?.();
    throw error;
  }
  return { start, isEventStream: eventStream.test(start.toString('latin1')), body: joined(held, chunks) };
}

const openBrace = 0x7b;

/** Removes white space and a byte order mark. */
function trimmedStart(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const skipped = /^(?:\u00ef\u00bb\u00bf)?[\s]*/.exec(text)?.[0].length ?? 0;
  return bytes.subarray(skipped);
}

async function* joined(
  held: Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let chunk = held.shift(); chunk; chunk = held.shift()) yield chunk;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
