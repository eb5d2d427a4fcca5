import { AppError } from '../../domain/errors.ts';
import type { StoredImage } from '../../domain/image.ts';
import { type LoggedJob, logFieldsOf } from '../../domain/job-log-fields.ts';
import type { DecodedImage, ImageStorage, Log, Meter } from '../../domain/ports.ts';
import { storageDelayMs } from '../../domain/retry-schedule.ts';
import { startDeadline } from '../../lib/deadline.ts';

interface Deps {
  storage: Pick<ImageStorage, 'put'>;
  /** Resolves after the time, or at once if the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  random: () => number;
  meter: Meter;
  log: Log;
}

/**
 * Uploads an image.
 *
 * @param options.maxTries number of tries; unlimited by default.
 * @returns `null` if the signal aborted first or the tries are used up.
 */
export type UploadImage = (
  image: DecodedImage,
  target: { job: LoggedJob; index: number; storageKey: string },
  options: { signal: AbortSignal; maxTries?: number },
) => Promise<StoredImage | null>;

/**
 * Time that the storage has for an image after its run had to stop, in milliseconds. It is shorter than the time in which a
 * stopping process returns its jobs. The response is safe in the spool.
 */
const stopGraceMs = 2_000;

/** Waits for an upload. Returns false if the storage does not respond in time after the signal aborted. */
async function unlessStopped(upload: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const deadline = startDeadline(signal, Number.POSITIVE_INFINITY, () => stopGraceMs);
  const stopped = new Promise<false>((resolve) => {
    deadline.signal.addEventListener('abort', () => resolve(false));
  });
  try {
    return await Promise.race([upload.then(() => true), stopped]);
  } finally {
    deadline.release();
  }
}

/**
 * Stores a paid image and retries until it succeeds, unless the tries are limited. The bytes are safe in the spool, so a
 * storage outage costs only time.
 */
export function createUploadImage(deps: Deps): UploadImage {
  return async (image, { job, index, storageKey }, { signal, maxTries = Number.POSITIVE_INFINITY }) => {
    const started = performance.now();
    for (let failures = 1; ; failures++) {
      try {
        if (!(await unlessStopped(deps.storage.put(storageKey, image.bytes, image), signal))) return null;
        break;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        deps.log.warn(
          { err: error, ...logFieldsOf(job), storage_key: storageKey, failures },
          'image not stored, retrying',
        );
        if (failures >= maxTries) return null;
        await deps.sleep(storageDelayMs(failures, deps.random()), signal);
        if (signal.aborted) return null;
      }
    }
    deps.meter.stageDone('storing', (performance.now() - started) / 1000);
    deps.meter.imageStored(image.contentType, image.bytes.length);
    return {
      index,
      storageKey,
      contentType: image.contentType,
      width: image.width,
      height: image.height,
      sizeBytes: image.bytes.length,
      sha256: image.sha256,
    };
  };
}
