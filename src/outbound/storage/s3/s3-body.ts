import { finished, Readable } from 'node:stream';
import { s3Error, timeoutError } from './s3-errors.ts';

/**
 * Wraps the body of an S3 response with an idle timeout. If S3 sends no byte for `idleMs` during a read, or the connection
 * breaks, the stream fails with AppError `storage_unavailable`. The time between reads does not count. Destroying the stream
 * releases the connection, even before the first read.
 */
export function boundedBody(source: Readable, idleMs: number): Readable {
  let isWanted = false;
  let failure: Error | undefined;
  let timer: NodeJS.Timeout | undefined;
  const idle = () => source.destroy(timeoutError(`S3 sent no byte of the body for ${idleMs} ms.`));

  function pass(): void {
    if (!isWanted) return;
    if (failure) body.destroy(s3Error(failure));
    const chunk: Uint8Array | null = source.read();
    if (chunk === null) return;
    isWanted = false;
    clearTimeout(timer);
    body.push(chunk);
  }

  const body: Readable = new Readable({
    read() {
      isWanted = true;
      pass();
      // Most reads find a chunk and need no timer.
      if (!isWanted || source.destroyed) return;
      clearTimeout(timer);
      timer = setTimeout(idle, idleMs);
    },
    destroy(error, done) {
      clearTimeout(timer);
      source.destroy();
      done(error);
    },
  });
  source.on('readable', pass);
  // An error before the first read is reported by that read, because nothing listens before.
  finished(source, { writable: false }, (error) => {
    clearTimeout(timer);
    failure = error ?? undefined;
    if (error) pass();
    else body.push(null);
  });
  return body;
}
