import { AppError } from '../../domain/errors.ts';
import { type CallName, previewKeyOf } from '../../domain/image.ts';
import { maxPartialImages } from '../../domain/image-request.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { addPreview } from '../../domain/job-moves.ts';
import type { Clock, ImageStorage, Log, PartialImage } from '../../domain/ports.ts';
import type { JobRun } from './job-run.ts';

interface Deps {
  storage: Pick<ImageStorage, 'put' | 'remove'>;
  /** Resolves after the time, or at once if the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  clock: Clock;
  log: Log;
}

/** Storage of the previews of one call. */
export interface StorePreviews {
  /** Stores and records a preview. Never rejects, because a lost preview must not end a paid call. */
  readonly store: (partial: PartialImage) => Promise<void>;
  /** Resolves when every preview is recorded, at the latest after two seconds. */
  readonly settled: () => Promise<void>;
}

/** Maximum wait for the previews of a call whose image has arrived. */
const maxWaitMs = 2_000;

/**
 * Stores the previews of a call while its image is generated. The record of the job announces each, so every process can
 * stream and replay it.
 */
export function createStorePreviews({ storage, sleep, clock, log }: Deps) {
  return (run: JobRun, call: CallName): StorePreviews => {
    let pending: Promise<void> | undefined;

    async function store({ no: partial, image }: PartialImage): Promise<void> {
      const storageKey = previewKeyOf(run.job, call, partial);
      const { bytes, contentType, width, height, sha256 } = image;
      const facts = { contentType, width, height, sizeBytes: bytes.length, sha256 };
      const preview = { index: call.index, partial, storageKey, ...facts };
      try {
        await storage.put(storageKey, bytes, { contentType, sha256 });
        await run.update((job) => addPreview(job, preview, clock()));
      } catch (error) {
        log.warn({ err: error, ...logFieldsOf(run.job), attempt: call.no, partial }, 'preview not stored');
        // The job has ended, so nothing else may find these bytes.
        const isOver = error instanceof AppError && error.code === 'already_terminal';
        if (isOver) await storage.remove(storageKey).catch(() => {});
      }
    }

    return {
      async store(partial) {
        // No link could name another number, and a server may send any number of previews.
        if (partial.no < 0 || partial.no >= maxPartialImages) return;
        const stored = store(partial);
        pending = Promise.all([pending, stored]).then(() => {});
        await stored;
      },
      async settled() {
        if (!pending) return;
        const done = new AbortController();
        await Promise.race([pending, sleep(maxWaitMs, AbortSignal.any([run.signal, done.signal]))]);
        done.abort();
      },
    };
  };
}
