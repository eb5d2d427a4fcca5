import { type Attempt, withoutHeldResponse } from './attempt.ts';
import { type ImageJob, isTerminal, type Retention } from './image-job.ts';
import { checkChangeable, finish, touch } from './job-moves.ts';
import { pickAmounts } from './pick-amounts.ts';

/** The moves that remove data of a job: erasure at the caller's request, and deletion at the end of the retention. */

/**
 * Erases personal data: prompts, metadata, errors, and every unknown field that is not a number or a boolean. Ids, times
 * and amounts stay as a tombstone. The images are due for deletion at once and stay listed until their bytes are deleted.
 * Ends an unfinished job as `canceled` first.
 */
export function erase(job: ImageJob, nowMs: number, retention: Retention): ImageJob {
  checkChangeable(job);
  // A job without images becomes due too, because the sweeper completes an erasure whose process ended.
  const { mediaGone: _mediaGone, ...ended } = isTerminal(job.status)
    ? job
    : finish(job, 'canceled', { nowMs, retention });
  const tombstone = pickAmounts(ended, tombstoneFields) as unknown as ImageJob;
  // The placeholder of an image shows what is on it.
  const images = ended.images.map(({ thumbhash: _thumbhash, ...image }) => image);
  const attempts = ended.attempts.map((attempt) => {
    const row = withoutHeldResponse(pickAmounts(attempt, attemptFields) as unknown as Attempt);
    // The request is erased with its model, and the ledger has to name the model of every paid call.
    return row.model === undefined && ended.request ? { ...row, model: ended.request.model } : row;
  });
  // The names of the inputs stay until their bytes are deleted.
  const inputs = ended.inputs?.map(({ role, index }) => ({ role, index, source: { type: 'erased' } }));
  return {
    ...touch({ ...tombstone, images, attempts, ...(inputs ? { inputs } : {}) }, nowMs),
    erasedAt: nowMs,
    mediaExpiresAt: nowMs,
  };
}

/** Fields of a tombstone besides numbers and booleans. */
const tombstoneFields = [
  'id',
  'tenant',
  'purpose',
  'keyId',
  'status',
  'images',
  'previews',
  'attempts',
  'usage',
  'callBounds',
  'parentId',
  'claim',
  'requestId',
  'traceparent',
  'history',
] as const satisfies readonly (keyof ImageJob)[];

const attemptFields = [
  'kind',
  'provider',
  'state',
  'providerRequestId',
  'handle',
  'error',
  'model',
] as const satisfies readonly (keyof Attempt)[];

/** Maximum age of an ended job that still gets files, in milliseconds. The last ones are its thumbnails. */
const lastFilesMs = 3_600_000;
/** How long an upload that began before an erasure may still be in flight, in milliseconds. Its worker may be frozen. */
const lateUploadsMs = 900_000;

/** Returns when the files of an erased job are deleted again; `undefined` if no upload was in flight at the erasure. */
function lastDeletionAt({ erasedAt, finishedAt = 0, recordExpiresAt = Infinity }: ImageJob) {
  if (erasedAt === undefined || erasedAt - finishedAt > lastFilesMs) return undefined;
  return Math.min(erasedAt + lateUploadsMs, recordExpiresAt);
}

/**
 * Marks the images, previews and inputs of an ended job as deleted. The facts about its inputs stay, unless it was erased. A
 * job that was erased while it could get files stays due once more, because an upload in flight may end after the deletion.
 */
export function purgeMedia(job: ImageJob, nowMs: number): ImageJob {
  const { inputs, ...rest } = purgePreviews(job, nowMs);
  const againAt = lastDeletionAt(job);
  if (againAt !== undefined && nowMs < againAt)
    return { ...rest, ...(inputs ? { inputs } : {}), mediaExpiresAt: againAt };
  const known = inputs && job.erasedAt === undefined ? { inputs } : {};
  return { ...rest, ...known, images: [], mediaGone: true };
}

/** Marks the previews of an ended job as deleted. */
export function purgePreviews(job: ImageJob, nowMs: number): ImageJob {
  checkChangeable(job);
  const { previews: _previews, ...rest } = touch(job, nowMs);
  return rest;
}
