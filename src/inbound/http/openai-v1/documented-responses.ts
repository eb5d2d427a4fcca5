import { AppError, type ErrorCode, errorCodes, errorRow } from '../../../domain/errors.ts';
import { type JsonSchema, ref } from '../json-schema.ts';
import { lifecycleHeaders } from '../model-lifecycle.ts';
import { requestHeader } from '../request-headers.ts';
import { authenticate, otherError, quotaState, retryAfter } from '../responses.ts';
import { newJobHeaders } from '../send-accepted.ts';
import { inputCodes, submissionCodes } from '../submission-codes.ts';
import { openAiError, statusBeforeAcceptance, statusOfFailure } from './problem.ts';

/** Documented responses of the OpenAI-compatible API. Their statuses differ from those of the native API. */

const text = (description: string): JsonSchema => ({ description, type: 'string' });
const always = { 'x-request-id': { ...text('Identifies this request in logs.'), required: true } };

/** Headers of every response to a key with a limit of requests. */
const quotaHeaders = {
  ...quotaState,
  'x-ratelimit-limit-requests': text('Limit of requests per minute.'),
  'x-ratelimit-remaining-requests': text('Requests that remain.'),
  'x-ratelimit-reset-requests': text('Time until the limit is whole again, such as `6s`.'),
};

/** Headers of every response that belongs to a job. */
const jobHeaders = {
  'x-darkroom-job-id': text('Id of the job.'),
  'x-darkroom-joined': text('Id of the job, if the request joined an earlier one.'),
  'x-darkroom-model': text('Model that is used.'),
  'x-darkroom-requested-model': text('Model as the request named it.'),
  'x-darkroom-cost-micro-usd': text('Cost of the job in micro-USD, if it is known when the response begins.'),
  ...lifecycleHeaders,
};

const shouldRetry = {
  ...text('`false` if a retry cannot help, or only after more than a minute; `true` if it joins the job.'),
  enum: ['true', 'false'],
};

/** Error codes of the inputs of an edit, with which its job can end. */
const inputFailures: readonly ErrorCode[] = ['input_unavailable', 'input_invalid'];

/** Error codes that every route can send. */
const common: readonly ErrorCode[] = [
  'invalid_request',
  'unauthorized',
  'insufficient_scope',
  'tenant_suspended',
  'request_timeout',
  'headers_too_large',
  'too_many_requests',
  'store_unavailable',
  'internal',
  'validation_failed',
];
/** Error codes of a refused submission. */
const submission: readonly ErrorCode[] = [
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
  ...submissionCodes,
];
/** Error codes with which the wait for an accepted job can end without an image. */
const failures: readonly ErrorCode[] = [
  ...errorCodes.filter((code) => errorRow(code).billing && !inputFailures.includes(code)),
  'canceled',
  'not_found',
  'erased',
  'unauthorized',
  'insufficient_scope',
  'tenant_suspended',
];

/** Error that a route can send before or after it accepted a job. */
interface Documented {
  readonly code: ErrorCode;
  readonly isAccepted: boolean;
}

const refusals = (codes: readonly ErrorCode[]): Documented[] =>
  codes.map((code) => ({ code, isAccepted: false }));

function problems(path: string, errors: readonly Documented[]) {
  const byStatus = new Map<number, Documented[]>();
  for (const error of errors) {
    const status = error.isAccepted ? statusOfFailure(error.code) : statusBeforeAcceptance(error.code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), error]);
  }
  return {
    ...Object.fromEntries([...byStatus].map(([status, list]) => [status, problem(path, status, list)])),
    default: otherError,
  };
}

function problem(path: string, status: number, errors: readonly Documented[]) {
  const request = { instance: path, requestId: 'req_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B' };
  const codes = [...new Set(errors.map(({ code }) => code))];
  const exampleOf = ({ code, isAccepted }: Documented) => ({
    summary: errorRow(code).title,
    value: openAiError(new AppError(code), request, { isAccepted }).body,
  });
  return {
    description: codes.map((code) => `\`${code}\`: ${errorRow(code).title}`).join('. '),
    headers: problemHeaders(status, errors),
    content: {
      'application/problem+json': {
        schema: ref('Problem'),
        examples: Object.fromEntries(errors.map((error) => [error.code, exampleOf(error)])),
      },
    },
  };
}

function problemHeaders(status: number, errors: readonly Documented[]) {
  const isRetryable = ({ code, isAccepted }: Documented) => !isAccepted && errorRow(code).retryable;
  return {
    ...always,
    ...(errors.some(isRetryable) ? { 'retry-after': retryAfter } : {}),
    'x-should-retry': { ...shouldRetry, required: !errors.some(isRetryable) },
    ...(status === 401 ? { 'www-authenticate': { ...authenticate, required: false } } : {}),
    ...(status === 429 ? quotaHeaders : {}),
    // A process that stops refuses the wait for a job too.
    ...(errors.some(({ code, isAccepted }) => isAccepted || code === 'shutting_down') ? jobHeaders : {}),
  };
}

/** Returns the documented responses of a read-only route. */
export function readResponses(path: string, schema: string, ...codes: ErrorCode[]) {
  return {
    200: {
      description: 'OK',
      headers: { ...always, ...quotaHeaders },
      content: { 'application/json': { schema: ref(schema) } },
    },
    ...problems(path, refusals([...common, ...codes])),
  };
}

/** Documented headers of a request for images. */
export const imagesHeaders = {
  type: 'object',
  properties: {
    'idempotency-key': {
      ...requestHeader.idempotencyKey,
      description: `1 to 255 visible ASCII characters, bare or quoted. The same key with the same body joins the same job.`,
    },
    prefer: {
      type: 'string',
      description: '`respond-async` returns the accepted job with 202 instead of the images.',
      examples: ['respond-async'],
    },
  },
};

/** Returns the documented responses of a route that responds with images. */
export function imagesResponses(path: string, { hasInputs }: { readonly hasInputs: boolean }) {
  return {
    200: {
      description:
        'The images. After white space was sent to keep the connection open, a failure is a body with `error` and without `data`.',
      headers: { ...always, ...quotaHeaders, ...jobHeaders },
      content: {
        'application/json': { schema: ref('OpenAiImages') },
        'text/event-stream': { schema: ref('OpenAiImageEvent') },
      },
    },
    202: {
      description: 'The accepted job, with `Prefer: respond-async`.',
      headers: { ...always, ...quotaHeaders, ...jobHeaders, ...newJobHeaders },
      content: { 'application/json': { schema: ref('ImageJob') } },
    },
    ...problems(path, [
      ...refusals([...common, ...submission, ...(hasInputs ? inputCodes : [])]),
      ...[...failures, ...(hasInputs ? inputFailures : [])].map((code) => ({ code, isAccepted: true })),
    ]),
  };
}
