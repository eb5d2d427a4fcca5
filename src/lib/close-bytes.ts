import { Readable } from 'node:stream';

/** Closes bytes that may not be read to their end. Until then they hold a file or a connection. Idempotent. */
export function closeBytes(bytes: AsyncIterable<Uint8Array>): void {
  if (bytes instanceof Readable) bytes.destroy();
}
