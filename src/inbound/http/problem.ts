import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, type ErrorCode, errorRow, type FieldIssue } from '../../domain/errors.ts';
import { quotaHeaders } from './quota-headers.ts';
import { fieldIssuesOf } from './validation-issues.ts';

/** Body of an error: problem+json (RFC 9457) with a nested `error` member for clients of the OpenAI API. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ErrorCode;
  retryable: boolean;
  request_id: string;
  errors: readonly FieldIssue[];
  /** `code` is that of the problem, or the name by which OpenAI's clients know it. */
  error: { message: string; type: string; code: string; param: string | null };
}

const defaultRetryAfterSeconds = 5;
/** Maximum number of issues in one response. A body may have tens of thousands, and comparing them takes quadratic time. */
const maxIssues = 100;

/** Path of the page that explains every error code. */
export const errorsPath = '/docs/errors';

export interface Circumstances {
  /** Path of the request. */
  readonly instance: string;
  readonly requestId: string;
  /** Address of this service, for the link to the documentation of the code. Without it the link is relative. */
  readonly publicUrl?: string | undefined;
}

/** Returns the body of an error. */
export function problemOf(error: AppError, { instance, requestId, publicUrl = '' }: Circumstances): Problem {
  const row = errorRow(error.code);
  const pointer = error.issues[0]?.pointer;
  return {
    type: `${publicUrl}${errorsPath}#${error.code}`,
    title: row.title,
    status: row.status,
    detail: error.message,
    instance,
    code: error.code,
    retryable: row.retryable,
    request_id: requestId,
    errors: error.issues.slice(0, maxIssues),
    ...error.members,
    error: {
      message: error.message,
      type: errorType(row.status),
      code: error.code,
      param: namesIn(pointer ?? '').join('.') || null,
    },
  };
}

function errorType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** Returns the headers of an error, including those that hooks add: a refused connection passes no hook. */
export function problemHeaders(error: AppError, requestId: string): Record<string, string> {
  const { status, retryable } = errorRow(error.code);
  return {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    // Without this header the official SDKs decide by the status alone.
    ...(retryable
      ? { 'retry-after': String(error.retryAfterSeconds ?? defaultRetryAfterSeconds) }
      : { 'x-should-retry': 'false' }),
    ...quotaHeaders(error.quotas),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  };
}

/** Responds to a request with an error. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: AppError): FastifyReply {
  reply.code(errorRow(error.code).status).headers(problemHeaders(error, request.id));
  return reply.send(JSON.stringify(problemOf(error, circumstancesOf(request))));
}

/** Returns the members of a problem that describe its request. */
export function circumstancesOf(request: FastifyRequest): Circumstances {
  const publicUrl = request.server.publicAddresses?.publicUrlOf(request);
  return {
    instance: request.url.split('?', 1)[0] ?? '/',
    requestId: request.id,
    // A malformed Host is refused with a problem, whose link must not repeat it.
    publicUrl: URL.canParse(publicUrl ?? '') ? publicUrl : undefined,
  };
}

const byFastifyCode: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_MAX_HEADER_SIZE: 'headers_too_large',
};

/** Returns the text of an error of Fastify, with a remedy if there is one. */
function detailOf(code: ErrorCode, maxBytes: number | undefined): string {
  if (code === 'unsupported_media_type') return 'Invalid Content-Type. Send the media type of the body.';
  if (code !== 'payload_too_large' || maxBytes === undefined) return errorRow(code).title;
  return `The body may have at most ${maxBytes} bytes. Send files with POST /uploads, or as a form.`;
}

/**
 * Translates every error of a request. A fault of the service becomes `internal`, without its text.
 *
 * @param maxBytes maximum size of the body of the route.
 */
export function asAppError(error: unknown, maxBytes?: number): AppError {
  if (error instanceof AppError) return error;
  const fault = error as Partial<FastifyError>;
  if (fault.validation) {
    const context = fault.validationContext ?? 'body';
    const issues = fieldIssuesOf(fault.validation.slice(0, maxIssues), context);
    return new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
  }
  const code = fault.code === undefined ? undefined : byFastifyCode[fault.code];
  if (code) return new AppError(code, { detail: detailOf(code, maxBytes), cause: error });
  // Thrown for the files of the documentation page.
  if (fault.statusCode === 403 || fault.statusCode === 404)
    return new AppError('not_found', { cause: error });
  if (fault.statusCode === 400) return new AppError('invalid_request', { cause: error });
  return new AppError('internal', { detail: 'Internal error. Retry the request.', cause: error });
}

/** Returns the names in a JSON Pointer (RFC 6901). */
const namesIn = (pointer: string) =>
  pointer
    .split('/')
    .filter(Boolean)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
