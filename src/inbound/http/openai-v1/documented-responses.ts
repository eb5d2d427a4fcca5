import { AppError, type ErrorCode, errorRow } from '../../../domain/errors.ts';
import { type JsonSchema, ref } from '../json-schema.ts';
import { lifecycleHeaders } from '../model-lifecycle.ts';
import { otherError } from '../responses.ts';
import { submissionCodes } from '../submission-codes.ts';
import { openAiError, statusBeforeAcceptance, statusOfFailure } from './problem.ts';

/** Documented responses of the OpenAI-compatible API. Their statuses differ from those of the native API. */

const text = (description: string): JsonSchema => ({ description, type: 'string' });
const always = { 'x-request-id': { ...text('Identifies this request in logs.'), required: true } };

/** Headers of every response that belongs to a job. */
const jobHeaders = {
  ...always,
  'x-darkroom-job-id': text('Id of the job.'),
  'x-darkroom-joined': text('Id of the job, if the request joined an earlier one.'),
  'x-darkroom-model': text('Model that is used.'),
  'x-darkroom-requested-model': text('Model as the request named it.'),
  'x-darkroom-cost-micro-usd': text('Cost of the job in micro-USD, if it is known when the response begins.'),
  ...lifecycleHeaders,
};

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
/** Error codes of a job that ended without an image. */
const failures: readonly ErrorCode[] = [
  'moderation_blocked',
  'provider_rejected',
  'provider_outcome_unknown',
  'storage_failed',
  'run_timeout',
  'queue_timeout',
  'canceled',
  'not_found',
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
    ...Object.fromEntries([...byStatus].map(([status, list]) => [status, problem(path, list)])),
    default: otherError,
  };
}

function problem(path: string, errors: readonly Documented[]) {
  const request = { instance: path, requestId: 'req_01KAR3S9Z8QJ4V5W6X7Y8Z9A0B' };
  const exampleOf = ({ code, isAccepted }: Documented) => ({
    summary: errorRow(code).title,
    value: openAiError(new AppError(code), request, { isAccepted }).body,
  });
  return {
    description: errors.map(({ code }) => `\`${code}\`: ${errorRow(code).title}`).join('. '),
    headers: always,
    content: {
      'application/problem+json': {
        schema: ref('Problem'),
        examples: Object.fromEntries(errors.map((error) => [error.code, exampleOf(error)])),
      },
    },
  };
}

/** Returns the documented responses of a read-only route. */
export function readResponses(path: string, schema: string, ...codes: ErrorCode[]) {
  return {
    200: { description: 'OK', headers: always, content: { 'application/json': { schema: ref(schema) } } },
    ...problems(path, refusals([...common, ...codes])),
  };
}

/** Returns the documented responses of a route that responds with images. */
export function imagesResponses(
  path: string,
  more: { readonly refused?: readonly ErrorCode[]; readonly failed?: readonly ErrorCode[] } = {},
) {
  return {
    200: {
      description:
        'The images. After white space was sent to keep the connection open, a failure is a body with `error` and without `data`.',
      headers: jobHeaders,
      content: {
        'application/json': { schema: ref('OpenAiImages') },
        'text/event-stream': { schema: ref('OpenAiImageEvent') },
      },
    },
    202: {
      description: 'The accepted job, with `Prefer: respond-async`.',
      headers: jobHeaders,
      content: { 'application/json': { schema: ref('ImageJob') } },
    },
    ...problems(path, [
      ...refusals([...common, ...submission, ...(more.refused ?? [])]),
      ...[...failures, ...(more.failed ?? [])].map((code) => ({ code, isAccepted: true })),
    ]),
  };
}
