import type { Attempt } from './attempt.ts';
import type { CallBounds } from './cost.ts';
import { type Billing, type ErrorCode, errorRow } from './errors.ts';
import type { StoredImage, StoredPreview } from './image.ts';
import type { ImageRequest } from './image-request.ts';
import type { JobInput } from './input-image.ts';
import {
  type Blocked,
  type JobStage,
  type JobStatus,
  jobStages,
  jobStatuses,
  type Moment,
} from './job-history.ts';
import { isKnown, type Open } from './open.ts';
import type { StoredTokens } from './token-totals.ts';

export { type Blocked, type JobStage, type JobStatus, jobStages, jobStatuses, type Moment };

/**
 * The record of a job and everything that can be read from it. `job-moves.ts` has its transitions. Times are epoch
 * milliseconds. The store compares versions, so two processes never change the same version of a record.
 *
 * Records are open: another release may have written fields and values that this one does not know. Every update keeps
 * them. Types of stored lists of values are therefore `Open`.
 */

/**
 * Schema version of the records that this release writes and runs. A release raises it if older releases must not change
 * or run its records. New fields that older releases may ignore do not raise it.
 */
export const recordSchema = 1;

export interface JobError {
  readonly code: Open<ErrorCode>;
  readonly message: string;
  readonly stage?: Open<JobStage>;
  readonly billing: Open<Billing>;
  /** Set if a retry cannot help, although the code allows one. */
  readonly final?: true;
  /** Index of the image that failed; absent if the error concerns the job. */
  readonly index?: number;
  readonly provider?: {
    readonly status?: number;
    readonly code?: string;
    readonly request_id?: string;
    readonly categories?: string[];
  };
}

export interface ImageJob {
  /** Raised by the store with every write. Basis of compare-and-set and of the ETag. */
  readonly version: number;
  /** See `recordSchema`. */
  readonly schema: number;
  readonly id: string;
  readonly tenant: string;
  /** Absent for a job that makes images. A release that adds a value raises `recordSchema` of such records. */
  readonly purpose?: Open<'enhance'>;
  /** Id of the API key that submitted the job. Absent in records of earlier releases. */
  readonly keyId?: string;
  readonly status: Open<JobStatus>;
  readonly stage?: Open<JobStage>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly cancelRequestedAt?: number;
  readonly erasedAt?: number;
  /** Times at which the images and the record are deleted. Set when the job ends. */
  readonly mediaExpiresAt?: number;
  readonly recordExpiresAt?: number;
  readonly mediaGone?: boolean;
  /** The request with the caller's own names, and the defaults decided at submission. Absent once erased. */
  readonly request?: ImageRequest;
  /** Texts around the prompt from the chosen preset, see `promptTemplateOf`. Fixed at submission, dropped at the end. */
  readonly promptTemplate?: string[];
  readonly enhancedPrompt?: string;
  readonly revisedPrompt?: string;
  /** Inputs of an edit. Absent for generations. An erased job has only their names, until their bytes are deleted. */
  readonly inputs?: JobInput[];
  readonly images: StoredImage[];
  /** Previews of images that are not finished, the latest of each number. They are deleted an hour after the end. */
  readonly previews?: StoredPreview[];
  /** Errors of single images. The error that ended the job is the last one. */
  readonly errors?: JobError[];
  readonly attempts: Attempt[];
  readonly usage?: StoredTokens;
  /** Micro-USD held in the budgets of the key and the tenant; absent if nothing is held. See `holdOf`. */
  readonly hold?: number;
  /** Upper bounds of the calls of the job; absent if unknown, and once nothing is held after the end. */
  readonly callBounds?: CallBounds;
  /** Row of the usage counters, fixed at submission. Absent in records of earlier releases, which are not counted. */
  readonly usageRow?: number;
  readonly warnings?: string[];
  readonly parentId?: string;
  /** Fencing token: number of runs so far. Only the latest run may write. */
  readonly fence: number;
  /** Start of the current run; absent between runs. */
  readonly leaseStartedAt?: number;
  /** Process of the current run; absent between runs. */
  readonly leaseWorker?: string;
  /** Runs that ended without a result, because their worker crashed. */
  readonly crashCount?: number;
  /** Consecutive ones of these runs whose crash ended fewer than three runs, see `job-crashes.ts`. */
  readonly crashesInRow?: number;
  /** Consecutive rejections by the provider since it last accepted a call. */
  readonly refusals?: number;
  /**
   * The current wait of a running job that does not count towards `run_timeout_s`: for a blocked provider scope, or for a
   * release that can read a spooled response.
   */
  readonly blocked?: Blocked;
  /** Milliseconds of earlier such waits. */
  readonly blockedMs?: number;
  /** Idempotency key that the job claimed, as a digest. Absent without a key, and in records of earlier releases. */
  readonly claim?: { readonly keyHash: string; readonly ttlMs: number };
  /** Id of the request that created the job, and its trace context. Both are in every log line of the job. */
  readonly requestId?: string;
  readonly traceparent?: string;
  /** Scheme and host of the request, if the deployment sets no public address. Used for links in webhooks. */
  readonly origin?: string;
  /** Every change of status or stage, every stored image and preview, in order. The positions number the events of the stream. */
  readonly history: Moment[];
}

const terminalStatuses: ReadonlySet<string> = new Set<JobStatus>([
  'succeeded',
  'failed',
  'canceled',
  'expired',
]);

/** Whether a status is final. An unknown status is not: only the release that wrote it knows. */
export function isTerminal(status: Open<JobStatus>): boolean {
  return terminalStatuses.has(status);
}

/** Whether this release may change and run a job. A newer release may have written a schema or a status unknown here. */
export function isChangeable({ schema, status }: Pick<ImageJob, 'schema' | 'status'>): boolean {
  return schema <= recordSchema && isKnown(jobStatuses, status);
}

/**
 * Returns the status to show. An unknown status of a newer release is shown as `running` until the job has ended, then as
 * `succeeded` if it has images and as `failed` if not.
 */
export function shownStatus(job: Pick<ImageJob, 'status' | 'finishedAt' | 'images'>): JobStatus {
  if (isKnown(jobStatuses, job.status)) return job.status;
  if (job.finishedAt === undefined) return 'running';
  return job.images.length > 0 ? 'succeeded' : 'failed';
}

/** Returns the stage to show; `null` for an unknown stage of a newer release. */
export function shownStage(stage: Open<JobStage> | undefined): JobStage | null {
  return stage !== undefined && isKnown(jobStages, stage) ? stage : null;
}

/** Whether a job only expands a prompt, see `enhancement.ts`. */
export const isEnhancement = ({ purpose }: Pick<ImageJob, 'purpose'>): boolean => purpose === 'enhance';

/** Creates a record in `queued`. */
export function createJob(input: {
  id: string;
  tenant: string;
  purpose?: 'enhance' | undefined;
  keyId?: string | undefined;
  request: ImageRequest;
  nowMs: number;
  callBounds?: CallBounds | undefined;
  promptTemplate?: readonly string[] | undefined;
  inputs?: readonly JobInput[] | undefined;
  warnings?: readonly string[];
  usageRow?: number | undefined;
  parentId?: string | undefined;
  requestId?: string | undefined;
  traceparent?: string | undefined;
  origin?: string | undefined;
}): ImageJob {
  const job: Mutable<ImageJob> = {
    version: 1,
    schema: recordSchema,
    id: input.id,
    tenant: input.tenant,
    status: 'queued',
    createdAt: input.nowMs,
    updatedAt: input.nowMs,
    request: input.request,
    images: [],
    attempts: [],
    fence: 0,
    history: [{ at: input.nowMs, status: 'queued' }],
  };
  // Not spreads of what is present, because a dozen of them take longer than the rest of a submission's rules.
  if (input.purpose) job.purpose = input.purpose;
  if (input.keyId) job.keyId = input.keyId;
  if (input.promptTemplate) job.promptTemplate = [...input.promptTemplate];
  if (input.inputs?.length) job.inputs = [...input.inputs];
  if (input.callBounds) job.callBounds = input.callBounds;
  if (input.warnings?.length) job.warnings = [...input.warnings];
  if (input.usageRow !== undefined) job.usageRow = input.usageRow;
  if (input.parentId) job.parentId = input.parentId;
  if (input.requestId) job.requestId = input.requestId;
  if (input.traceparent) job.traceparent = input.traceparent;
  if (input.origin) job.origin = input.origin;
  return job;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** How long images and records stay after the end of a job. */
export interface Retention {
  readonly mediaSeconds: number;
  readonly recordSeconds: number;
}

/** Whether a job has the image of an index. */
export function hasImage(job: ImageJob, index: number): boolean {
  return job.images.some((image) => image.index === index);
}

/** Returns the indexes of images that are neither stored nor failed for good. */
export function missingImages(job: ImageJob): number[] {
  const wanted = job.request?.n ?? 1;
  const failed = new Set(job.errors?.map((error) => error.index));
  return Array.from({ length: wanted }, (_, index) => index).filter(
    (index) => !failed.has(index) && !hasImage(job, index),
  );
}

/** Returns the error that ended a job, or `undefined` if the job did not fail or expire. */
export function finalError(job: ImageJob): JobError | undefined {
  if (job.status !== 'failed' && job.status !== 'expired') return undefined;
  return job.errors?.findLast((error) => error.index === undefined) ?? job.errors?.at(-1);
}

/** Creates an error for a record, with the public title of its code unless `extra` has a message. */
export function jobError(
  code: ErrorCode,
  billing: Billing,
  extra: Partial<Omit<JobError, 'code' | 'billing'>> = {},
): JobError {
  return { code, billing, message: extra.message ?? errorRow(code).title, ...extra };
}
