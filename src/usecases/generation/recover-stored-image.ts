import { createHash } from 'node:crypto';
import { type Attempt, finalizeAttempt } from '../../domain/attempt.ts';
import { AppError } from '../../domain/errors.ts';
import { imageKeysOf, type StoredImage } from '../../domain/image.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { addImage, finishIfWhole } from '../../domain/job-moves.ts';
import type { Clock, DescribeImage, ImageStorage, Log } from '../../domain/ports.ts';
import type { JobRun } from './job-run.ts';
import { type ImageOutcome, RETRY_LATER } from './retry-decision.ts';

interface Deps {
  readonly storage: Pick<ImageStorage, 'read'>;
  readonly describeImage: DescribeImage;
  /** Limits the images in memory; `null` if the signal aborted before a slot was free. */
  readonly withMemorySlot: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T | null>;
  readonly clock: Clock;
  readonly log: Log;
  readonly retentionOf: (job: ImageJob) => Retention;
}

/**
 * Looks for the image of a call whose response is on no disk. Its worker may have stored the image and died before the
 * record named it, or Redis may have lost that record: with a failover, or with the last second before a power failure. The
 * storage key follows from the attempt, so the image is found without another payment. Its cost and its tokens are unknown
 * until a disk with the response returns.
 *
 * @returns `null` if the storage has no image of this call, and a wait while the storage cannot be read.
 */
export function createRecoverStoredImage(deps: Deps) {
  async function find(job: ImageJob, attempt: Attempt): Promise<StoredImage | null> {
    for (const storageKey of imageKeysOf(job, attempt)) {
      const stored = await deps.storage.read(storageKey);
      if (!stored) continue;
      const parts: Uint8Array[] = [];
      for await (const part of stored.body) parts.push(part);
      const bytes = Buffer.concat(parts);
      const facts = deps.describeImage(bytes);
      if (!facts) continue;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { index: attempt.index, storageKey, ...facts, sizeBytes: bytes.length, sha256 };
    }
    return null;
  }

  function withImage(job: ImageJob, attempt: Attempt, image: StoredImage): ImageJob {
    // The worker that paid may have returned and recorded it.
    if (job.images.some((each) => each.storageKey === image.storageKey)) return job;
    const nowMs = deps.clock();
    const outcome = { state: 'stored', finishedAt: nowMs, responseLost: true } as const;
    const attempts = finalizeAttempt(job.attempts, attempt.no, outcome);
    const next = { ...addImage(job, image, nowMs), attempts };
    return finishIfWhole(next, { nowMs, retention: deps.retentionOf(next) });
  }

  return async (run: JobRun, attempt: Attempt): Promise<ImageOutcome | null> => {
    const fields = { ...logFieldsOf(run.job), attempt: attempt.no };
    try {
      const image = await deps.withMemorySlot(() => find(run.job, attempt), run.signal);
      if (!image) return run.signal.aborted ? { kind: 'stopped' } : null;
      await run.update((job) => withImage(job, attempt, image));
      deps.log.warn(fields, 'image found in the storage, its response is lost');
      return { kind: 'stored' };
    } catch (error) {
      if (!(error instanceof AppError) || !unreadable.has(error.code)) throw error;
      deps.log.warn({ err: error, ...fields }, 'storage not searched for the image of a lost call, retrying');
      return RETRY_LATER;
    }
  };
}
export type RecoverStoredImage = ReturnType<typeof createRecoverStoredImage>;

const unreadable: ReadonlySet<string> = new Set(['storage_unavailable', 'storage_failed']);
