import { isOpen } from './attempt.ts';
import { AppError } from './errors.ts';
import type { StoredImage } from './image.ts';
import {
  type ImageJob,
  isTerminal,
  type JobError,
  type JobStage,
  type JobStatus,
  jobError,
  missingImages,
  type Retention,
} from './image-job.ts';

/**
 * The legal moves of a job. A status only goes forward and a terminal one never changes:
 *
 *   queued -> running -> succeeded | failed | canceled | expired
 *
 * Every function here is pure: it takes a record and returns the next one, or refuses.
 */

/**
 * Takes the record for a new execution: raises the fence and, the first time, moves it to `running`. A job that is
 * still held was interrupted by the death of its worker.
 */
export function beginRun(job: ImageJob, nowMs: number): ImageJob {
  refuseTerminal(job);
  const taken = {
    ...touch(job, nowMs),
    fence: job.fence + 1,
    leaseStartedAt: nowMs,
    ...(job.leaseStartedAt === undefined ? {} : { crashCount: (job.crashCount ?? 0) + 1 }),
  };
  if (job.status === 'running') return taken;
  return moved({ ...taken, startedAt: nowMs }, 'running', job.stage, nowMs);
}

/** Gives the record back without an end, to be taken up again by anybody. */
export function releaseRun(job: ImageJob, nowMs: number): ImageJob {
  const { leaseStartedAt: _leaseStartedAt, ...rest } = job;
  return touch(rest, nowMs);
}

/** Marks a record as changed. Its time never goes back, whatever the clocks of the processes say. */
export function touch(job: ImageJob, nowMs: number): ImageJob {
  return { ...job, updatedAt: Math.max(nowMs, job.updatedAt) };
}

/** Refuses a write by an execution that no longer owns the record. @throws AppError `already_terminal`. */
export function checkFence(job: ImageJob, fence: number): void {
  refuseTerminal(job);
  if (job.fence !== fence) {
    throw new AppError('already_terminal', { detail: 'Another worker has taken this job over.' });
  }
}

/** Moves a running job to a stage; the same stage again changes nothing. */
export function enterStage(job: ImageJob, stage: JobStage, nowMs: number): ImageJob {
  refuseTerminal(job);
  if (job.stage === stage) return job;
  return moved(job, 'running', stage, nowMs);
}

/** Enters a stored image, which is a moment of the job's life like a change of status. */
export function addImage(job: ImageJob, image: StoredImage, nowMs: number): ImageJob {
  refuseTerminal(job);
  const touched = touch(job, nowMs);
  const { status, stage, updatedAt: at } = touched;
  const moment = { at, status, ...(stage ? { stage } : {}), image: image.index };
  return { ...touched, images: [...job.images, image], history: [...job.history, moment] };
}

/** Notes the wish to cancel a running job; the worker that holds it ends it. */
export function requestCancel(job: ImageJob, nowMs: number): ImageJob {
  refuseTerminal(job);
  return { ...touch(job, nowMs), cancelRequestedAt: job.cancelRequestedAt ?? nowMs };
}

/**
 * Ends a job. What the record keeps of a finished job is only what a reader can ask for.
 *
 * @throws AppError `already_terminal` when it has ended before.
 */
export function finish(
  job: ImageJob,
  status: 'succeeded' | 'failed' | 'canceled' | 'expired',
  outcome: { nowMs: number; retention: Retention; error?: JobError },
): ImageJob {
  refuseTerminal(job);
  const {
    stage: _stage,
    promptTemplate: _promptTemplate,
    refusals: _refusals,
    leaseStartedAt: _leaseStartedAt,
    ...rest
  } = job;
  const errors = outcome.error ? [...(job.errors ?? []), outcome.error] : job.errors;
  const keep = outcome.retention;
  return moved(
    {
      ...rest,
      ...(errors ? { errors } : {}),
      finishedAt: outcome.nowMs,
      // Images without a record could never be found again, so they are not kept longer than it.
      mediaExpiresAt: outcome.nowMs + Math.min(keep.mediaSeconds, keep.recordSeconds) * 1000,
      recordExpiresAt: outcome.nowMs + keep.recordSeconds * 1000,
    },
    status,
    undefined,
    outcome.nowMs,
  );
}

/** Ends a job that has waited too long, see `hasWaitedTooLong`. Nothing was spent on it. */
export function expire(job: ImageJob, outcome: { nowMs: number; retention: Retention }): ImageJob {
  return finish(job, 'expired', { ...outcome, error: jobError('queue_timeout', 'none') });
}

/** Ends a job that has all of its images; one that has not, or whose calls are not all over, stays as it is. */
export function finishIfWhole(job: ImageJob, outcome: { nowMs: number; retention: Retention }): ImageJob {
  const isWhole = job.images.length > 0 && missingImages(job).length === 0;
  // A call under way has to be seen to its end by its worker, which would leave an ended job alone.
  const isOver = !job.attempts.some(isOpen);
  return isWhole && isOver && !isTerminal(job.status) ? finish(job, 'succeeded', outcome) : job;
}

/** Ends a job before all of its images are made: those that are there are kept, each missing one gets the error. */
export function finishIncomplete(
  job: ImageJob,
  outcome: { nowMs: number; retention: Retention; error: JobError },
): ImageJob {
  if (job.images.length === 0) return finish(job, 'failed', outcome);
  const { error, ...kept } = outcome;
  const errors = missingImages(job).map((index) => ({ ...error, index }));
  return finish({ ...job, errors: [...(job.errors ?? []), ...errors] }, 'succeeded', kept);
}

/**
 * Erases what a person could be known by: prompts, metadata, errors. Ids, times and amounts stay as a tombstone; the
 * images are due at once and stay listed until they are really gone. An unfinished job ends as `canceled` first.
 */
export function erase(job: ImageJob, nowMs: number, retention: Retention): ImageJob {
  const ended = isTerminal(job.status) ? job : finish(job, 'canceled', { nowMs, retention });
  const { request: _r, enhancedPrompt: _e, revisedPrompt: _v, warnings: _w, errors: _x, ...rest } = ended;
  return { ...touch(rest, nowMs), erasedAt: nowMs, mediaExpiresAt: nowMs };
}

/** Marks the images of an ended job as gone because their retention is over. */
export function purgeMedia(job: ImageJob, nowMs: number): ImageJob {
  return { ...touch(job, nowMs), images: [], mediaGone: true };
}

function moved(job: ImageJob, status: JobStatus, stage: JobStage | undefined, nowMs: number): ImageJob {
  const { stage: _previous, ...rest } = touch(job, nowMs);
  const moment = { at: rest.updatedAt, status, ...(stage ? { stage } : {}) };
  return {
    ...rest,
    ...(stage ? { stage } : {}),
    status,
    history: [...job.history, moment],
  };
}

function refuseTerminal(job: ImageJob): void {
  if (isTerminal(job.status)) {
    throw new AppError('already_terminal', { detail: `The job has already ended as ${job.status}.` });
  }
}
