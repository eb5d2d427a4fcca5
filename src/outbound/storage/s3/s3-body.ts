import { Readable } from 'node:stream';
import { s3Error, timeoutError } from './s3-errors.ts';

/**
 * The body of an S3 answer, bounded: when S3 sends nothing for `idleMs` although somebody reads, it ends with an AppError
 * `storage_unavailable`, as it does when the connection breaks. A slow reader is not held against S3. Destroying the
 * stream gives the connection back, also before the first byte was read.
 */
export function boundedBody(source: Readable, idleMs: number): Readable {
  const chunks: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  const idle = timeoutError(`S3 sent no byte of the body for ${idleMs} ms.`);
  // What breaks before the first read must not end the process; the first read reports it.
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
