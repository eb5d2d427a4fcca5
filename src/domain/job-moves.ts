import { billingOf, closeCalls, isCallFor, isOpen } from './attempt.ts';
import { AppError } from './errors.ts';
import type { StoredImage, StoredPreview } from './image.ts';
import {
  type Blocked,
  type ImageJob,
  isChangeable,
  isTerminal,
  type JobError,
  type JobStage,
  type JobStatus,
  jobError,
  type Moment,
  missingImages,
  type Retention,
} from './image-job.ts';

/**
 * The legal moves of a job. A status only moves forward, and a terminal status never changes:
 *
 *   queued -> running -> succeeded | failed | canceled | expired
 *
 * Every function is pure: it takes a record and returns the next one, or throws. Fields of a newer release stay. A record
 * whose schema or status is unknown is refused with `newer_release`: only the release that wrote it can change it.
 */

/**
 * Acquires a job for a new run: raises the fencing token and moves a queued job to `running`.
 *
 * @param worker the process of the run.
 */
export function beginRun(job: ImageJob, nowMs: number, worker?: string): ImageJob {
  checkOpen(job);
  const acquired = {
    ...unblock(touch(job, nowMs), nowMs),
    fence: job.fence + 1,
    leaseStartedAt: nowMs,
    ...(worker === undefined ? {} : { leaseWorker: worker }),
  };
  if (job.status === 'running') return acquired;
  return moved({ ...acquired, startedAt: nowMs }, { status: 'running' }, nowMs);
}

/**
 * Releases a job without a result, so that any worker can run it next.
 *
 * @param blocked the reason if the job waits for something that must not count towards its run time.
 */
export function releaseRun(job: ImageJob, nowMs: number, blocked?: Omit<Blocked, 'sinceMs'>): ImageJob {
  const {
    leaseStartedAt: _leaseStartedAt,
    leaseWorker: _leaseWorker,
    crashesInRow: _crashesInRow,
    ...rest
  } = job;
  return { ...touch(rest, nowMs), ...(blocked ? { blocked: { sinceMs: nowMs, ...blocked } } : {}) };
}

/** Ends the wait of a blocked job and adds its duration to `blockedMs`. */
function unblock(job: ImageJob, nowMs: number): ImageJob {
  const { blocked, ...rest } = job;
  if (!blocked) return job;
  return { ...rest, blockedMs: (job.blockedMs ?? 0) + Math.max(0, nowMs - blocked.sinceMs) };
}

/** Marks a record as changed. The time never goes back, whatever the clocks of the processes show. */
export function touch(job: ImageJob, nowMs: number): ImageJob {
  return { ...job, updatedAt: Math.max(nowMs, job.updatedAt) };
}

/** The fields by which a record names its current run. */
export type RunName = Pick<ImageJob, 'fence' | 'leaseStartedAt'>;

/**
 * Refuses a write by a run that no longer owns the record. The token alone does not name a run: if the store loses the
 * beginning of a run, the next one gets the same token. A record without a lease is released, and the release may be repeated.
 *
 * @throws AppError `already_terminal`.
 */
export function checkRun(job: ImageJob, run: RunName): void {
  checkOpen(job);
  const { leaseStartedAt = run.leaseStartedAt } = job;
  if (job.fence !== run.fence || leaseStartedAt !== run.leaseStartedAt) {
    throw new AppError('already_terminal', { detail: 'Another worker runs this job now.' });
  }
}

/**
 * Returns the record as a run last wrote it if the store has an older one of the same run, or of none: a failover, or a
 * power failure, took the last writes. Only this run knows them, and among them may be paid calls. A cancel request that
 * arrived since then stays.
 */
export function withLostWrites(job: ImageJob, written: ImageJob): ImageJob {
  const isOfRun = job.fence < written.fence || job.leaseStartedAt === written.leaseStartedAt;
  if (job.version >= written.version || isTerminal(job.status) || !isOfRun) return job;
  const { cancelRequestedAt } = job;
  return { ...written, ...(cancelRequestedAt === undefined ? {} : { cancelRequestedAt }) };
}

/** Moves a running job to a stage. Returns the same record if it is in that stage already. */
export function enterStage(job: ImageJob, stage: JobStage, nowMs: number): ImageJob {
  checkOpen(job);
  if (job.stage === stage) return job;
  return moved(job, { status: 'running', stage }, nowMs);
}

/** Adds a stored image, which is a moment of the history like a change of status. */
export function addImage(job: ImageJob, image: StoredImage, nowMs: number): ImageJob {
  checkOpen(job);
  return { ...withMoment(job, { image: image.index }, nowMs), images: [...job.images, image] };
}

/**
 * Adds a stored preview, which is a moment of the history. Replaces the preview of an earlier call with the same number.
 * Returns the same record if it has the preview already.
 */
export function addPreview(job: ImageJob, preview: StoredPreview, nowMs: number): ImageJob {
  checkOpen(job);
  const { index, partial, storageKey } = preview;
  if (job.previews?.some((each) => each.storageKey === storageKey)) return job;
  const others = (job.previews ?? []).filter((each) => each.index !== index || each.partial !== partial);
  return { ...withMoment(job, { image: index, partial }, nowMs), previews: [...others, preview] };
}

/** Adds a moment without a change of status or stage to the history. */
function withMoment(job: ImageJob, stored: Pick<Moment, 'image' | 'partial'>, nowMs: number): ImageJob {
  const touched = touch(job, nowMs);
  const { status, stage, updatedAt: at } = touched;
  const moment = { at, status, ...(stage ? { stage } : {}), ...stored };
  return { ...touched, history: [...job.history, moment] };
}

/** Records a cancel request. The worker that runs the job ends it. */
export function requestCancel(job: ImageJob, nowMs: number): ImageJob {
  checkOpen(job);
  return { ...touch(job, nowMs), cancelRequestedAt: job.cancelRequestedAt ?? nowMs };
}

/**
 * Ends a job. Drops fields that matter only while a job runs. Every other way to end a job calls this function, so no ended
 * job has a `calling` attempt.
 *
 * @throws AppError `already_terminal` if the job has ended before.
 */
export function finish(
  job: ImageJob,
  status: 'succeeded' | 'failed' | 'canceled' | 'expired',
  outcome: { nowMs: number; retention: Retention; error?: JobError },
): ImageJob {
  checkOpen(job);
  const {
    stage: _stage,
    promptTemplate: _promptTemplate,
    refusals: _refusals,
    leaseStartedAt: _leaseStartedAt,
    leaseWorker: _leaseWorker,
    crashesInRow: _crashesInRow,
    blocked: _blocked,
    blockedMs: _blockedMs,
    ...rest
  } = job;
  const errors = outcome.error ? [...(job.errors ?? []), outcome.error] : job.errors;
  // A process with a slow clock must not end a job before its start, because durations and estimates of time use both.
  const { updatedAt: finishedAt } = touch(job, outcome.nowMs);
  const { mediaSeconds, recordSeconds } = outcome.retention;
  return moved(
    {
      ...rest,
      attempts: closeCalls(rest.attempts, finishedAt),
      ...(errors ? { errors } : {}),
      finishedAt,
      // Images never outlive their record, because without it they could not be found and deleted.
      mediaExpiresAt: finishedAt + Math.min(mediaSeconds, recordSeconds) * 1000,
      recordExpiresAt: finishedAt + recordSeconds * 1000,
    },
    { status },
    finishedAt,
  );
}

/** Ends a job that is past its queue TTL, see `hasWaitedTooLong`. Nothing was spent on it. */
export function expire(job: ImageJob, outcome: { nowMs: number; retention: Retention }): ImageJob {
  return finish(job, 'expired', { ...outcome, error: jobError('queue_timeout', 'none') });
}

/** Ends a job if all of its images are stored and no call is open. Otherwise returns it unchanged. */
export function finishIfWhole(job: ImageJob, outcome: { nowMs: number; retention: Retention }): ImageJob {
  const isWhole = job.images.length > 0 && missingImages(job).length === 0;
  // The worker has to record the outcome of an open call, and could not do so in an ended job.
  const isOver = !job.attempts.some(isOpen);
  return isWhole && isOver && !isTerminal(job.status) ? finish(job, 'succeeded', outcome) : job;
}

/** Ends a job that lacks images. Stored images stay, and each missing one gets the error with its own charges and stage. */
export function finishIncomplete(
  job: ImageJob,
  outcome: { nowMs: number; retention: Retention; error: JobError },
): ImageJob {
  if (job.images.length === 0) return finish(job, 'failed', outcome);
  const { error, ...others } = outcome;
  const errors = missingImages(job).map((index) => {
    const { stage: _stageOfJob, ...rest } = error;
    const calls = job.attempts.filter((each) => isCallFor(each, index));
    const last = calls.at(-1);
    const stage: JobStage | undefined = last && (last.state === 'received' ? 'storing' : 'generating');
    return { ...rest, index, billing: billingOf(calls), ...(stage ? { stage } : {}) };
  });
  return finish({ ...job, errors: [...(job.errors ?? []), ...errors] }, 'succeeded', others);
}

function moved(
  job: ImageJob,
  to: { readonly status: JobStatus; readonly stage?: JobStage },
  nowMs: number,
): ImageJob {
  const { stage: _previous, ...rest } = touch(job, nowMs);
  return { ...rest, ...to, history: [...job.history, { at: rest.updatedAt, ...to }] };
}

function checkOpen(job: ImageJob): void {
  checkChangeable(job);
  if (isTerminal(job.status)) {
    throw new AppError('already_terminal', { detail: `The job has already ended as ${job.status}.` });
  }
}

/** Refuses a record that only a newer release can change. @throws AppError `newer_release`. */
export function checkChangeable(job: ImageJob): void {
  if (isChangeable(job)) return;
  throw new AppError('newer_release', {
    detail: 'A newer release of the service wrote this job. Retry when all instances run it.',
    retryAfterSeconds: 30,
  });
}
