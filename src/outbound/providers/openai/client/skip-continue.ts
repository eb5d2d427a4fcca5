import type { Socket } from 'node:net';

const start = 'HTTP/1.1 1';
const end = '\r\n\r\n';
/** Maximum size of skipped heads in bytes. */
const maxHeadBytes = 64 * 1024;

/**
 * Removes interim responses (1xx) from the start of a response. The HTTP client treats `100 Continue` as an error if it did
 * not request it, but a server may send it at any time (RFC 9110, section 15.2).
 */
export function skipContinue(socket: Socket): void {
  const read = socket.read.bind(socket);
  let held = Buffer.alloc(0);
  let isSkipping = true;

  socket.read = (size?: number) => {
    const chunk: Buffer | null = read(size);
    if (!isSkipping || chunk === null) return chunk;
    held = Buffer.concat([held, chunk]);
    for (let length = interimLength(held); length > 0; length = interimLength(held)) {
      held = held.subarray(length);
    }
    if (isInterim(held) && held.length < maxHeadBytes) return null;
    isSkipping = false;
    return held;
  };
}

/** Returns whether the bytes are, or may become, an interim response. `101` ends the HTTP connection and is none. */
function isInterim(bytes: Buffer): boolean {
  const text = bytes.toString('latin1', 0, start.length + 2);
  return start.startsWith(text) || (text.startsWith(start) && !text.endsWith('101'));
}

function interimLength(bytes: Buffer): number {
  const isWhole = bytes.length > start.length + 2 && isInterim(bytes);
  const length = isWhole ? bytes.indexOf(end) + end.length : 0;
  return length >= end.length ? length : 0;
}
