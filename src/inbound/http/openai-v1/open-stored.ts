import { Readable } from 'node:stream';
import { AppError } from '../../../domain/errors.ts';
import { closeBytes } from '../../../lib/close-bytes.ts';
import { idle } from '../../../lib/sleep.ts';
import type { ReadImage } from '../../../usecases/jobs/read-image.ts';

/** Time in which an image is opened again while the storage is unavailable, for example limits the rate of requests. */
const maxOutageMs = 30_000;
const outagePauseMs = 1_000;
/** Number of times that an image is opened again after its bytes broke off, within `maxOutageMs` of the first break. */
const maxBreaks = 3;

type Bytes = AsyncIterable<Uint8Array>;

/**
 * Opens a stored image for a response. Its bytes never change, so bytes that break off are continued from the same position:
 * no official client repeats a request whose response breaks off.
 *
 * @param gone aborts when no caller waits for the response any more.
 * @returns a stream that closes the storage when it is destroyed, even before the first read.
 */
export async function openStored(
  readImage: Pick<ReadImage, 'open'>,
  storageKey: string,
  gone: AbortSignal,
): Promise<Readable> {
  let current = await open();

  async function open(): Promise<Bytes> {
    const startedAt = performance.now();
    for (;;) {
      try {
        return (await readImage.open(storageKey)).body;
      } catch (error) {
        if (!isOutage(error) || gone.aborted || performance.now() - startedAt > maxOutageMs) throw error;
        await idle(outagePauseMs);
      }
    }
  }

  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    let sentBytes = 0;
    let brokenSince: number | undefined;
    for (let breaks = 0; ; breaks += 1) {
      let skipBytes = sentBytes;
      try {
        for await (const chunk of current) {
          const rest = chunk.subarray(Math.min(skipBytes, chunk.length));
          skipBytes -= chunk.length - rest.length;
          sentBytes += rest.length;
          if (rest.length > 0) yield rest;
        }
        return;
      } catch (error) {
        brokenSince ??= performance.now();
        const isOver = breaks === maxBreaks || performance.now() - brokenSince > maxOutageMs;
        if (!isOutage(error) || gone.aborted || isOver) throw error;
        current = await open();
      }
    }
  }

  const stream = Readable.from(read());
  // Without a listener an error that no reader awaits would end the process.
  stream.on('error', () => {});
  stream.once('close', () => {
    closeBytes(current);
  });
  return stream;
}

const isOutage = (error: unknown) => error instanceof AppError && error.code === 'storage_unavailable';
