import { finished, type Readable } from 'node:stream';

/** Reader of a stream whose chunks are taken off the stream before they are requested. */
export interface ReadAhead {
  /** Returns the next chunk, `null` at the end. Rejects with the error of the stream after the last chunk before it. */
  next(): Promise<Uint8Array | null>;
  /** Discards all further chunks. Resolves at the end of the stream, in whatever way it ends, or after the given time. */
  ended(maxMs: number): Promise<void>;
  /** Closes the stream. */
  close(): void;
}

/**
 * Reads a stream ahead of its consumer, because a stream that breaks discards the chunks that were not read yet. The
 * consumer may still be writing to a disk when the connection breaks behind a complete response.
 *
 * @param maxBytes size of waiting chunks from which on the stream is paused.
 */
export function readAhead(stream: Readable, maxBytes: number): ReadAhead {
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let isDiscarding = false;
  let end: { readonly error: Error | undefined } | null = null;
  let notify = () => {};

  stream.on('data', (chunk: Uint8Array) => {
    if (isDiscarding) return;
    waiting.push(chunk);
    waitingBytes += chunk.byteLength;
    if (waitingBytes >= maxBytes) stream.pause();
    notify();
  });
  finished(stream, { writable: false }, (error) => {
    end = { error: error ?? undefined };
    notify();
  });

  return {
    async next() {
      for (;;) {
        const chunk = waiting.shift();
        if (chunk) {
          waitingBytes -= chunk.byteLength;
          if (waitingBytes < maxBytes) stream.resume();
          return chunk;
        }
        if (end?.error) throw end.error;
        if (end) return null;
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
      }
    },
    async ended(maxMs) {
      isDiscarding = true;
      stream.resume();
      if (end) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, maxMs);
        notify = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    close() {
      stream.destroy();
    },
  };
}
