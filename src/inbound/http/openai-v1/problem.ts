import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorCodes, errorRow } from '../../../domain/errors.ts';
import type { JobError } from '../../../domain/image-job.ts';
import { isKnown } from '../../../domain/open.ts';
import { type Circumstances, circumstancesOf, type Problem, problemHeaders, problemOf } from '../problem.ts';

/** Official clients obey a longer `Retry-After`, but their callers would wait without a word. */
const maxRetryAfterSeconds = 60;

/**
 * The error of a job that was accepted. No client may repeat the request because of it: the AI SDK repeats 409, 429 and
 * every 5xx whatever the headers say, so every status is another 4xx.
 */
export function jobFailure(error: Pick<JobError, 'code' | 'message'>): AppError {
  return new AppError(isKnown(errorCodes, error.code) ? error.code : 'internal', { detail: error.message });
}

/** Status of a job that failed, see `jobFailure`. */
const failureStatus: Partial<Record<AppError['code'], number>> = {
  moderation_blocked: 400,
  provider_rejected: 422,
};
const otherFailureStatus = 424;

/** Codes and statuses by which OpenAI's clients know an error; every other code is ours. */
const openAiForms: Partial<Record<AppError['code'], { status: number; code?: string; type?: string }>> = {
  model_unknown: { status: 404, code: 'model_not_found' },
  model_retired: { status: 404, code: 'model_not_found' },
  validation_failed: { status: 400 },
  invalid_json: { status: 400 },
};

/** Status of an error after a job was accepted: never one that a client takes for retryable. */
export const statusOfFailure = (code: AppError['code']): number => failureStatus[code] ?? otherFailureStatus;

/** Status of an error before a job was accepted. */
export function statusBeforeAcceptance(code: AppError['code']): number {
  const { status } = errorRow(code);
  return openAiForms[code]?.status ?? (status >= 500 ? 503 : status);
}

/** Body, status and headers of an error in a form that OpenAI's clients understand. */
export interface OpenAiError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/**
 * Builds an error response.
 *
 * @param options.isAccepted a job exists: the error is final, and no status of it looks retryable.
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
  const { 'retry-after': retryAfter, ...headers } = problemHeaders(error, requestId);
  if (!retryable) return { ...headers, 'x-should-retry': 'false' };
  // A longer wait is for people, not for a client that blocks its caller.
  if (Number(retryAfter) > maxRetryAfterSeconds) return { ...headers, 'x-should-retry': 'false' };
  return { ...headers, 'retry-after': retryAfter ?? '5' };
}

/** Sends an error before a job was accepted. */
export function sendOpenAiError(request: FastifyRequest, reply: FastifyReply, error: AppError): FastifyReply {
  const { status, headers, body } = openAiError(error, circumstancesOf(request), { isAccepted: false });
  if (errorRow(error.code).status >= 500) {
    request.log.error({ err: error.cause ?? error, code: error.code }, 'request failed');
  }
  return reply.code(status).headers(headers).send(JSON.stringify(body));
}
