import { z } from 'zod';
import { Attempt } from './attempt.ts';
import { type Billing, billings, type ErrorCode, errorCodes, errorRow } from './errors.ts';
import { StoredImage } from './image.ts';
import { ImageRequest } from './image-request.ts';

/**
 * The record of a job: what is kept of it and what can be read from it. `job-moves.ts` has how it changes. Times are epoch
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
  /** Which of the `n` images it concerns; absent when it concerns the job. */
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
  /** The image that was stored then, by its index; absent where it was a change of status or stage. */
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
  /** When the images, and when the record, are to be forgotten. Set when the job ends. */
  mediaExpiresAt: z.int().optional(),
  recordExpiresAt: z.int().optional(),
  mediaGone: z.boolean().optional(),
  /** The request in the caller's own words and names; absent once erased. */
  request: ImageRequest.optional(),
  /** What the chosen preset puts around the prompt, see `promptTemplateOf`; kept until the job ends, whatever becomes of the preset. */
  promptTemplate: z.array(z.string()).optional(),
  enhancedPrompt: z.string().optional(),
  revisedPrompt: z.string().optional(),
  images: z.array(StoredImage),
  /** Errors of single images, and last the error that ended the job. */
  errors: z.array(JobError).optional(),
  attempts: z.array(Attempt),
  usage: TokenTotals.optional(),
  warnings: z.array(z.string()).optional(),
  parentId: z.string().optional(),
  /** Executions so far; the current one owns the record, and an older one's writes are refused. */
  fence: z.int(),
  /** When the current execution took the job; absent while nobody holds it. */
  leaseStartedAt: z.int().optional(),
  /** Executions that ended without a word: their worker died. */
  crashCount: z.int().optional(),
  /** Consecutive refusals by the provider since it last accepted a call. */
  refusals: z.int().optional(),
  traceparent: z.string().optional(),
  /** Scheme and host under which the job was ordered, where the deployment does not say its own: for links in webhooks. */
  origin: z.string().optional(),
  /** Every change of status or stage and every stored image in order; its positions number the events of the stream. */
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
  promptTemplate?: readonly string[] | undefined;
  warnings?: readonly string[];
  parentId?: string | undefined;
  traceparent?: string | undefined;
  origin?: string | undefined;
}): ImageJob {
  return {
    id: input.id,
    tenant: input.tenant,
    version: 1,
    status: 'queued',
    createdAt: input.nowMs,
    updatedAt: input.nowMs,
    request: input.request,
    ...(input.promptTemplate ? { promptTemplate: [...input.promptTemplate] } : {}),
    images: [],
    attempts: [],
    ...(input.warnings?.length ? { warnings: [...input.warnings] } : {}),
    ...(input.parentId ? { parentId: input.parentId } : {}),
    ...(input.traceparent ? { traceparent: input.traceparent } : {}),
    ...(input.origin ? { origin: input.origin } : {}),
    fence: 0,
    history: [{ at: input.nowMs, status: 'queued' }],
  };
}

/** How long images and records are kept once a job ended. */
export interface Retention {
  readonly mediaSeconds: number;
  readonly recordSeconds: number;
}

/** Whether a job has the image of that index. */
export function hasImage(job: ImageJob, index: number): boolean {
  return job.images.some((image) => image.index === index);
}

/** Images that are neither there nor failed for good. */
export function missingImages(job: ImageJob): number[] {
  const wanted = job.request?.n ?? 1;
  const failed = new Set(job.errors?.map((error) => error.index));
  return Array.from({ length: wanted }, (_, index) => index).filter(
    (index) => !failed.has(index) && !hasImage(job, index),
  );
}

/**
 * When a job next needs somebody's attention without being asked: a waiting one when its patience ends, a running one
 * well after its time is up (its worker should have ended it), an ended one when something is to be forgotten.
 */
export function dueAt(job: ImageJob): number | undefined {
  if (job.status === 'queued') return waitsUntil(job);
  if (job.status === 'running') {
    return job.request && (job.startedAt ?? job.createdAt) + job.request.run_timeout_s * 1000 + overrunMs;
  }
  return job.mediaGone ? job.recordExpiresAt : job.mediaExpiresAt;
}

const overrunMs = 30_000;

/** When the patience of a waiting job ends, by its `queue_ttl_s`; `undefined` for one that does not wait any more. */
export function waitsUntil({ status, request, createdAt }: ImageJob): number | undefined {
  return status === 'queued' && request ? createdAt + request.queue_ttl_s * 1000 : undefined;
}

/** Whether a job still waits although its patience is over. */
export function hasWaitedTooLong(job: ImageJob, nowMs: number): boolean {
  return (waitsUntil(job) ?? Number.POSITIVE_INFINITY) <= nowMs;
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
