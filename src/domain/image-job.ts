import { z } from 'zod';
import { Attempt, isOpen } from './attempt.ts';
import { AppError, type Billing, billings, type ErrorCode, errorCodes, errorRow } from './errors.ts';
import { StoredImage } from './image.ts';
import { ImageRequest } from './image-request.ts';

/**
 * The record of a job and its legal moves. A status only goes forward and a terminal one never changes:
 *
 *   queued -> running -> succeeded | failed | canceled | expired
 *
 * Every function here is pure: it takes a record and returns the next one, or refuses. Times are epoch
 * milliseconds. The store compares versions, so two processes can never both move the same record.
 */

export const jobStatuses = ['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export const jobStages = ['moderating', 'enhancing', 'generating', 'storing', 'processing'] as const;
export type JobStage = (typeof jobStages)[number];

export const JobError = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  stage: z.enum(jobStages).optional(),
  billing: z.enum(billings),
  /** Which of the `n` pictures it concerns; absent when it concerns the job. */
  index: z.int().optional(),
  provider: z
    .object({
      status: z.int().optional(),
      code: z.string().optional(),
      request_id: z.string().optional(),
      categories: z.array(z.string()).optional(),
    })
    .optional(),
});
export type JobError = z.infer<typeof JobError>;

const Moment = z.object({
  at: z.int(),
  status: z.enum(jobStatuses),
  stage: z.enum(jobStages).optional(),
  /** The picture that was stored then, by its index; absent where it was a change of status or stage. */
  image: z.int().optional(),
});

export const TokenTotals = z.object({
  input_tokens: z.int(),
  output_tokens: z.int(),
  total_tokens: z.int(),
});
export type TokenTotals = z.infer<typeof TokenTotals>;

export const ImageJob = z.object({
  id: z.string(),
  tenant: z.string(),
  /** Raised by the store with every write; the basis of compare-and-set and of the ETag. */
  version: z.int(),
  status: z.enum(jobStatuses),
  stage: z.enum(jobStages).optional(),
  createdAt: z.int(),
  updatedAt: z.int(),
  startedAt: z.int().optional(),
  finishedAt: z.int().optional(),
  cancelRequestedAt: z.int().optional(),
  erasedAt: z.int().optional(),
  /** When the pictures, and when the record, are to be forgotten. Set when the job ends. */
  mediaExpiresAt: z.int().optional(),
  recordExpiresAt: z.int().optional(),
  mediaGone: z.boolean().optional(),
  /** The request in the caller's own words and names; absent once erased. */
  request: ImageRequest.optional(),
  /** What the chosen preset puts around the prompt, see `frameOf`; kept until the job ends, whatever becomes of the preset. */
  frame: z.array(z.string()).optional(),
  enhancedPrompt: z.string().optional(),
  revisedPrompt: z.string().optional(),
  images: z.array(StoredImage),
  /** Errors of single pictures, and last the error that ended the job. */
  errors: z.array(JobError).optional(),
  attempts: z.array(Attempt),
  usage: TokenTotals.optional(),
  warnings: z.array(z.string()).optional(),
  parentId: z.string().optional(),
  /** Executions so far; the current one owns the record, and an older one's writes are refused. */
  fence: z.int(),
  /** When the current execution took the job; absent while nobody holds it. */
  heldSince: z.int().optional(),
  /** Executions that ended without a word: their worker died. */
  interruptions: z.int().optional(),
  /** Consecutive refusals by the provider since it last accepted a call. */
  refusals: z.int().optional(),
  traceparent: z.string().optional(),
  /** Every change of status or stage and every stored picture in order; its positions number the events of the stream. */
  history: z.array(Moment),
});
export type ImageJob = z.infer<typeof ImageJob>;

const terminalStatuses: ReadonlySet<JobStatus> = new Set(['succeeded', 'failed', 'canceled', 'expired']);

/** Whether a status is final. */
export function isTerminal(status: JobStatus): boolean {
  return terminalStatuses.has(status);
}

/** A fresh record in `queued`. */
export function createJob(input: {
  id: string;
  tenant: string;
  request: ImageRequest;
  nowMs: number;
  frame?: readonly string[] | undefined;
  warnings?: readonly string[];
  parentId?: string | undefined;
  traceparent?: string | undefined;
}): ImageJob {
  return {
    id: input.id,
    tenant: input.tenant,
    version: 1,
    status: 'queued',
    createdAt: input.nowMs,
    updatedAt: input.nowMs,
    request: input.request,
    ...(input.frame ? { frame: [...input.frame] } : {}),
    images: [],
    attempts: [],
    ...(input.warnings?.length ? { warnings: [...input.warnings] } : {}),
    ...(input.parentId ? { parentId: input.parentId } : {}),
    ...(input.traceparent ? { traceparent: input.traceparent } : {}),
    fence: 0,
    history: [{ at: input.nowMs, status: 'queued' }],
  };
}

/**
 * Takes the record for a new execution: raises the fence and, the first time, moves it to `running`. A job that is
 * still held was interrupted by the death of its worker.
 */
export function beginExecution(job: ImageJob, nowMs: number): ImageJob {
  refuseTerminal(job);
  const taken = {
    ...touch(job, nowMs),
    fence: job.fence + 1,
    heldSince: nowMs,
    ...(job.heldSince === undefined ? {} : { interruptions: (job.interruptions ?? 0) + 1 }),
  };
  if (job.status === 'running') return taken;
  return moved({ ...taken, startedAt: nowMs }, 'running', job.stage, nowMs);
}

/** Gives the record back without an end, to be taken up again by anybody. */
export function releaseExecution(job: ImageJob, nowMs: number): ImageJob {
  const { heldSince: _heldSince, ...rest } = job;
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

/** Enters a stored picture, which is a moment of the job's life like a change of status. */
export function enterImage(job: ImageJob, image: StoredImage, nowMs: number): ImageJob {
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

/** How long pictures and records are kept once a job ended. */
export interface Retention {
  readonly mediaSeconds: number;
  readonly recordSeconds: number;
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
  const { stage: _stage, frame: _frame, refusals: _refusals, heldSince: _heldSince, ...rest } = job;
  const errors = outcome.error ? [...(job.errors ?? []), outcome.error] : job.errors;
  const keep = outcome.retention;
  return moved(
    {
      ...rest,
      ...(errors ? { errors } : {}),
      finishedAt: outcome.nowMs,
      // Pictures without a record could never be found again, so they are not kept longer than it.
      mediaExpiresAt: outcome.nowMs + Math.min(keep.mediaSeconds, keep.recordSeconds) * 1000,
      recordExpiresAt: outcome.nowMs + keep.recordSeconds * 1000,
    },
    status,
    undefined,
    outcome.nowMs,
  );
}

/** Whether a job has the picture of that index. */
export function hasPicture(job: ImageJob, index: number): boolean {
  return job.images.some((image) => image.index === index);
}

/** Pictures that are neither there nor failed for good. */
export function missingPictures(job: ImageJob): number[] {
  const wanted = job.request?.n ?? 1;
  const failed = new Set(job.errors?.map((error) => error.index));
  return Array.from({ length: wanted }, (_, index) => index).filter(
    (index) => !failed.has(index) && !hasPicture(job, index),
  );
}

/** Ends a job that has all of its pictures; one that has not, or whose calls are not all over, stays as it is. */
export function finishIfWhole(job: ImageJob, outcome: { nowMs: number; retention: Retention }): ImageJob {
  const isWhole = job.images.length > 0 && missingPictures(job).length === 0;
  // A call under way has to be seen to its end by its worker, which would leave an ended job alone.
  const isOver = !job.attempts.some(isOpen);
  return isWhole && isOver && !isTerminal(job.status) ? finish(job, 'succeeded', outcome) : job;
}

/** Ends a job before all of its pictures are made: those that are there are kept, each missing one gets the error. */
export function finishIncomplete(
  job: ImageJob,
  outcome: { nowMs: number; retention: Retention; error: JobError },
): ImageJob {
  if (job.images.length === 0) return finish(job, 'failed', outcome);
  const { error, ...kept } = outcome;
  const errors = missingPictures(job).map((index) => ({ ...error, index }));
  return finish({ ...job, errors: [...(job.errors ?? []), ...errors] }, 'succeeded', kept);
}

/**
 * Erases what a person could be known by: prompts, metadata, errors. Ids, times and amounts stay as a tombstone; the
 * pictures are due at once and stay listed until they are really gone. An unfinished job ends as `canceled` first.
 */
export function erase(job: ImageJob, nowMs: number, retention: Retention): ImageJob {
  const ended = isTerminal(job.status) ? job : finish(job, 'canceled', { nowMs, retention });
  const { request: _r, enhancedPrompt: _e, revisedPrompt: _v, warnings: _w, errors: _x, ...rest } = ended;
  return { ...touch(rest, nowMs), erasedAt: nowMs, mediaExpiresAt: nowMs };
}

/**
 * When a job next needs somebody's attention without being asked: a waiting one when its patience ends, a running one
 * well after its time is up (its worker should have ended it), an ended one when something is to be forgotten.
 */
export function dueAt(job: ImageJob): number | undefined {
  if (job.status === 'queued') {
    return job.request && job.createdAt + job.request.queue_ttl_s * 1000;
  }
  if (job.status === 'running') {
    return job.request && (job.startedAt ?? job.createdAt) + job.request.run_timeout_s * 1000 + overrunMs;
  }
  return job.mediaGone ? job.recordExpiresAt : job.mediaExpiresAt;
}

const overrunMs = 30_000;

/** Marks the pictures of an ended job as gone because their retention is over. */
export function forgetMedia(job: ImageJob, nowMs: number): ImageJob {
  return { ...touch(job, nowMs), images: [], mediaGone: true };
}

/** The error that ended a job, if one did. */
export function finalError(job: ImageJob): JobError | undefined {
  if (job.status !== 'failed' && job.status !== 'expired') return undefined;
  return job.errors?.findLast((error) => error.index === undefined) ?? job.errors?.at(-1);
}

/** An error as a job keeps it, with the public text of its code unless a better one is given. */
export function jobError(
  code: ErrorCode,
  billing: Billing,
  extra: Partial<Omit<JobError, 'code' | 'billing'>> = {},
): JobError {
  return { code, billing, message: extra.message ?? errorRow(code).title, ...extra };
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
