import { type ErrorCode, errorRow } from '../../domain/errors.ts';
import { type JsonSchema, ref } from './schemas.ts';

/** Building blocks of the documented answers of a route. */

type Response = Record<string, unknown>;

const text: JsonSchema = { type: 'string' };

const headers = {
  'x-request-id': { description: 'Identifies this request in logs.', schema: text },
};

/** A JSON answer. */
export function json(description: string, schema: string, extra: Record<string, Response> = {}): Response {
  return {
    description,
    headers: { ...headers, ...extra },
    content: { 'application/json': { schema: ref(schema) } },
  };
}

/** An answer without a body. */
export function empty(description: string, extra: Record<string, Response> = {}): Response {
  return { description, headers: { ...headers, ...extra }, type: 'null' };
}

/** An answer in another content type. */
export function raw(
  description: string,
  contentTypes: readonly string[],
  schema: JsonSchema = text,
): Response {
  return {
    description,
    headers,
    content: Object.fromEntries(contentTypes.map((contentType) => [contentType, { schema }])),
  };
}

export const header = {
  location: { description: 'Where the job is.', schema: text },
  retryAfter: { description: 'Seconds until asking again makes sense.', schema: { type: 'integer' } },
  replayed: { description: '`true` when the Idempotency-Key had been used before.', schema: text },
  preferenceApplied: { description: 'What of `Prefer` was followed.', schema: text },
  etag: { description: 'Changes with status, stage and every update.', schema: text },
} as const;

const always: readonly ErrorCode[] = [
  'invalid_request',
  'internal',
  'store_unavailable',
  'request_timeout',
  'headers_too_large',
];
const keyed: readonly ErrorCode[] = ['unauthorized', 'insufficient_scope'];
const withBody: readonly ErrorCode[] = [
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
  'validation_failed',
];

/**
 * The problems a route may answer with, one response per status, naming the codes.
 */
export function problems(
  kind: { open?: boolean; body?: boolean },
  ...codes: ErrorCode[]
): Record<string, Response> {
  const all = [...always, ...(kind.open ? [] : keyed), ...(kind.body ? withBody : []), ...codes];
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(all)) {
    const { status } = errorRow(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      String(status),
      {
        description: list.map((code) => `\`${code}\`: ${errorRow(code).title}`).join('. '),
        headers: {
          ...headers,
          ...(list.some((code) => errorRow(code).retryable) ? { 'retry-after': header.retryAfter } : {}),
        },
        content: { 'application/problem+json': { schema: ref('Problem') } },
      },
    ]),
  );
}

/** Parameters that several routes share. */
export const idParams: JsonSchema = {
  type: 'object',
  properties: { id: { type: 'string', maxLength: 64, description: 'Id of the job, `img_...`.' } },
  required: ['id'],
};

export const idempotencyHeader: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 257,
  description: '1 to 255 visible ASCII characters; the same key with the same body gives the same job.',
};
