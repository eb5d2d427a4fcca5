import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorCodes, errorRow } from '../../../domain/errors.ts';
import type { JobError } from '../../../domain/image-job.ts';
import { isKnown } from '../../../domain/open.ts';
import { type Circumstances, circumstancesOf, type Problem, problemHeaders, problemOf } from '../problem.ts';
import { openAiQuotaHeaders } from '../quota-headers.ts';

/** Maximum wait before a retry. Official clients obey longer values too, but would block their callers without feedback. */
const maxWaitSeconds = 60;
/** Maximum `Retry-After`. The AI SDK ignores 60 s and more, and retries after two seconds instead. */
const maxRetryAfterSeconds = 59;

/**
 * Returns the error of an accepted job. Clients must not retry the request after this error. The AI SDK retries 409, 429
 * and every 5xx regardless of the headers, so every status of such an error is another 4xx.
 */
export function jobFailure(error: Pick<JobError, 'code' | 'message'>): AppError {
  return new AppError(isKnown(errorCodes, error.code) ? error.code : 'internal', { detail: error.message });
}

/** HTTP statuses of failed jobs, see `jobFailure`. */
const failureStatus: Partial<Record<AppError['code'], number>> = {
  moderation_blocked: 400,
  budget_exceeded: 402,
  provider_rejected: 422,
  unauthorized: 401,
  insufficient_scope: 403,
  tenant_suspended: 403,
  not_found: 404,
  erased: 410,
};
const otherFailureStatus = 424;

/** Errors that have a code or status of their own in OpenAI's API. Other errors use the code of this service. */
const openAiForms: Partial<Record<AppError['code'], { status: number; code?: string; type?: string }>> = {
  model_unknown: { status: 404, code: 'model_not_found' },
  model_retired: { status: 404, code: 'model_not_found' },
  validation_failed: { status: 400 },
  invalid_json: { status: 400 },
  input_invalid: { status: 400 },
  destination_forbidden: { status: 400 },
  // The AI SDK retries every 409.
  too_many_uploads: { status: 400 },
};

/** Returns the status of an error after a job was accepted. No client retries such a status. */
export const statusOfFailure = (code: AppError['code']): number => failureStatus[code] ?? otherFailureStatus;

/** Returns the status of an error before a job was accepted. */
export function statusBeforeAcceptance(code: AppError['code']): number {
  const { status } = errorRow(code);
  return openAiForms[code]?.status ?? (status >= 500 ? 503 : status);
}

/** Body, status and headers of an error in the form of OpenAI's API. */
export interface OpenAiError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/**
 * Builds an error response.
 *
 * @param options.isAccepted true if a job exists. The error is then final, and its status is not retryable.
 */
export function openAiError(
  error: AppError,
  circumstances: Circumstances,
  options: { isAccepted: boolean },
): OpenAiError {
  const problem = problemOf(error, circumstances);
  const form = openAiForms[error.code];
  const { isAccepted } = options;
  const status = isAccepted ? statusOfFailure(error.code) : statusBeforeAcceptance(error.code);
  const code = form?.code ?? error.code;
  const type = error.code === 'moderation_blocked' ? 'image_generation_user_error' : problem.error.type;
  const retryable = !isAccepted && problem.retryable;
  return {
    status,
    headers: headersOf(error, circumstances.requestId, retryable),
    body: {
      ...problem,
      status,
      retryable,
      error: { ...problem.error, code, type },
    },
  };
}

function headersOf(error: AppError, requestId: string, retryable: boolean): Record<string, string> {
  const { 'retry-after': retryAfter, ...common } = problemHeaders(error, requestId);
  const headers = { ...common, ...openAiQuotaHeaders(error.quotas) };
  if (!retryable) return { ...headers, 'x-should-retry': 'false' };
  // The client does not retry after a longer wait, because it would block its caller. No wait is stated then: some clients
  // ignore `x-should-retry` and would block.
  const waitSeconds = Number(retryAfter ?? 5);
  if (waitSeconds > maxWaitSeconds) return { ...headers, 'x-should-retry': 'false' };
  return { ...headers, 'retry-after': String(Math.min(waitSeconds, maxRetryAfterSeconds)) };
}

/** Returns the message of an error with its first issue, because clients show only the message. */
function messageOf({ code, message, issues: [first] }: AppError, param: string | null): string {
  if (param !== null && message === first?.detail) return `${param}: ${message}`;
  // Other errors describe their fault in the message.
  const isGeneral = code === 'validation_failed' || code === 'invalid_request';
  if (!first || !isGeneral || message.includes(first.detail)) return message;
  return `${message} ${param ?? 'The body'} ${first.detail}.`;
}

/**
 * Sends an error instead of images. The error is final if the request has a job, because a retry might pay again.
 *
 * @param failure.nameParam returns the name of a field as the caller knows it.
 * @param failure.namePointer returns the pointer of an issue as the caller knows it.
 */
export function sendOpenAiError(
  request: FastifyRequest,
  reply: FastifyReply,
  failure: {
    readonly error: AppError;
    readonly nameParam?: (param: string) => string;
    readonly namePointer?: (pointer: string) => string;
  },
): FastifyReply {
  const { error, nameParam = (param) => param, namePointer = (pointer) => pointer } = failure;
  const { status, headers, body } = openAiError(error, circumstancesOf(request), {
    isAccepted: request.jobId !== null,
  });
  if (errorRow(error.code).status >= 500) {
    request.log.error({ err: error.cause ?? error, code: error.code }, 'request failed');
  }
  const { param } = body.error;
  const errors = body.errors.map((issue) => ({ ...issue, pointer: namePointer(issue.pointer) }));
  const name = param === null ? null : nameParam(param);
  const named = { ...body.error, message: messageOf(error, name), param: name };
  return reply
    .code(status)
    .headers(headers)
    .send(JSON.stringify({ ...body, errors, error: named }));
}
