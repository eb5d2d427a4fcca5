import { Readable } from 'node:stream';
import { s3Error, timeoutError } from './s3-errors.ts';

/**
 * Wraps the body of an S3 response with an idle timeout. If S3 sends no byte for `idleMs` during a read, or the connection
 * breaks, the stream fails with AppError `storage_unavailable`. The time between reads does not count. Destroying the stream
 * releases the connection, even before the first read.
 */
export function boundedBody(source: Readable, idleMs: number): Readable {
  const chunks: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  const idle = timeoutError(`S3 sent no byte of the body for ${idleMs} ms.`);
  // Without a listener an error before the first read would end the process. The first read reports it.
  source.on('error', () => {});
  return new Readable({
    async read() {
      const timer = setTimeout(() => source.destroy(idle), idleMs);
      try {
        const next = await chunks.next();
        this.push(next.done === true ? null : next.value);
      } catch (error) {
        this.destroy(s3Error(error));
      } finally {
        clearTimeout(timer);
      }
    },
    destroy(error, done) {
      source.destroy();
      done(error);
    },
  });
}
