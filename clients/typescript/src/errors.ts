import type { Billing, ErrorCode, FieldIssue, ImageJob, Problem } from './generated/types.gen.ts';

/** Codes of failures that the client detects. Every other code comes from the service. */
export type ClientErrorCode =
  | 'connection_failed'
  | 'images_missing'
  | 'unexpected_response'
  | 'wait_timeout'
  | 'webhook_invalid';

interface ErrorOptions {
  readonly code: ErrorCode | ClientErrorCode;
  readonly cause?: unknown;
}

/** Base of all errors of this package. `code` is stable and determines what a program can do about the error. */
export class DarkroomError extends Error {
  readonly code: ErrorCode | ClientErrorCode;
  /** True if the same call may succeed later. The client has retried such a call before it throws the error. */
  readonly retryable: boolean = false;
  /** Minimum pause before a retry, from Retry-After. Default 0. */
  readonly retryAfterMs: number = 0;
  /** Number of times that the call was attempted. An earlier attempt may have had an effect although its response was lost. */
  attempts = 1;
  /** Key of the request that failed. The same call with this key never creates or pays for a second job. */
  idempotencyKey?: string | undefined;
  /** Job that was accepted before the failure. It continues; `wait` follows it. */
  jobId?: string | undefined;

  constructor(message: string, { code, cause }: ErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
  }
}

const maxIssuesInMessage = 3;

/** Returns the first invalid fields for a message, because a log usually has nothing but the message. */
function issuesText({ detail, errors }: Partial<Problem>): string {
  const all = (errors ?? []).filter((each) => each.detail !== detail);
  const shown = all.slice(0, maxIssuesInMessage).map((each) => ` ${each.pointer || 'body'}: ${each.detail}`);
  const more = all.length - shown.length;
  return `${shown.join('')}${more > 0 ? ` (and ${more} more)` : ''}`;
}

/**
 * The service refused a call. `code` is a code of the table of errors, and `problem` the body of the response. The message
 * names the first three invalid fields.
 */
export class ApiError extends DarkroomError {
  declare readonly code: ErrorCode;
  readonly status: number;
  readonly problem: Problem;
  override readonly retryable: boolean;
  override readonly retryAfterMs: number;

  constructor(problem: Problem, response: Response) {
    super(`${problem.detail}${issuesText(problem)}`, { code: problem.code });
    this.status = response.status;
    this.problem = problem;
    this.retryable = problem.retryable;
    this.retryAfterMs = retryAfterOf(response);
  }

  /** Id of the request in the logs of the service. */
  get requestId(): string {
    return this.problem.request_id;
  }

  /** Invalid fields of the request. */
  get issues(): readonly FieldIssue[] {
    return this.problem.errors;
  }
}

/** A response that is no response of Darkroom, such as the error page of a proxy or a redirect. */
export class UnexpectedResponseError extends DarkroomError {
  declare readonly code: 'unexpected_response';
  readonly status: number;
  override readonly retryable: boolean;
  override readonly retryAfterMs: number;

  constructor(message: string, response: Response) {
    super(message, { code: 'unexpected_response' });
    this.status = response.status;
    this.retryable = response.status >= 500 || [408, 425, 429].includes(response.status);
    this.retryAfterMs = retryAfterOf(response);
  }
}

/** The connection failed, broke or was silent for too long. It is unknown if the call had an effect. */
export class ConnectionError extends DarkroomError {
  declare readonly code: 'connection_failed';
  override readonly retryable: boolean = true;

  constructor(message: string, cause?: unknown) {
    super(message, { code: 'connection_failed', cause });
  }
}

/** Codes of jobs that end without an error. */
const codeOfStatus: Partial<Record<ImageJob['status'], ErrorCode>> = {
  canceled: 'canceled',
  expired: 'queue_timeout',
};

/** A job ended without images: it failed, was canceled or expired. `code` is the code of the job's error. */
export class JobEndedError extends DarkroomError {
  declare readonly code: ErrorCode;
  readonly job: ImageJob;

  constructor(job: ImageJob) {
    super(`${job.id} ${job.status}: ${job.error?.message ?? 'the job has no images'}`, {
      code: job.error?.code ?? codeOfStatus[job.status] ?? 'internal',
    });
    this.job = job;
    this.jobId = job.id;
  }

  /** Charge of the job: none, possible or charged. */
  get billing(): Billing {
    return this.job.cost.billing;
  }
}

/** The caller's own timeout passed before the job ended. A job that was accepted continues. */
export class WaitTimeoutError extends DarkroomError {
  declare readonly code: 'wait_timeout';

  constructor(jobId: string | undefined, timeoutMs: number) {
    const text = jobId
      ? `${jobId} did not end within ${timeoutMs} ms. It continues.`
      : `No job was confirmed within ${timeoutMs} ms. The same call with the idempotencyKey of this error continues.`;
    super(text, { code: 'wait_timeout' });
    this.jobId = jobId;
  }
}

/** The images of a succeeded job are deleted, because their retention is over. */
export class ImagesMissingError extends DarkroomError {
  declare readonly code: 'images_missing';

  constructor(jobId: string) {
    super(`The images of ${jobId} do not exist any more.`, { code: 'images_missing' });
    this.jobId = jobId;
  }
}

/** A webhook is not authentic: no signature matches, or its time is too far from now. */
export class WebhookError extends DarkroomError {
  declare readonly code: 'webhook_invalid';

  constructor(message: string) {
    super(message, { code: 'webhook_invalid' });
  }
}

/** Translates an error response. A proxy in front of the service sends no problem. */
export async function errorOf(response: Response): Promise<ApiError | UnexpectedResponseError> {
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  if (typeof problem?.code === 'string' && typeof problem.detail === 'string') {
    return new ApiError(problem as Problem, response);
  }
  const text = `${response.status} ${response.statusText}`.trim();
  return new UnexpectedResponseError(`The server responded with ${text}, without a problem`, response);
}

/** Returns the pause that a response demands, in seconds or as a date. */
function retryAfterOf({ headers }: Response): number {
  const value = headers.get('retry-after');
  if (value === null) return 0;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}
