import { type ErrorCode, errorRow } from '../../domain/errors.ts';
import { type Example, problemExampleOf } from './examples.ts';
import { type JsonSchema, ref } from './json-schema.ts';

/** Building blocks of the documented answers of a route. */

type Response = Record<string, unknown>;

/** A documented header: its schema, and `required` where no such answer comes without it. */
type Header = JsonSchema & { readonly description: string; readonly required?: boolean };

const always: Record<string, Header> = {
  'x-request-id': {
    description: "Identifies this request in logs; the caller's own where it sent one.",
    type: 'string',
    required: true,
  },
};

export const header = {
  location: { description: 'Where it is.', type: 'string', format: 'uri-reference', required: true },
  link: { description: 'Where the bytes are.', type: 'string', format: 'uri', required: true },
  pollAfter: { description: 'Seconds until asking again makes sense.', type: 'integer', required: true },
  pollWhileOpen: {
    description: 'Seconds until asking again makes sense; absent once the job has ended.',
    type: 'integer',
  },
  replayed: {
    description: '`true` when the Idempotency-Key had been used before.',
    type: 'string',
    enum: ['true'],
  },
  preferenceApplied: { description: 'What of `Prefer` was followed.', type: 'string' },
  etag: { description: 'Changes whenever the answer would.', type: 'string', required: true },
  cacheControl: { description: 'Whether and for how long to keep it.', type: 'string', required: true },
} as const satisfies Record<string, Header>;

const retryAfter: Header = { description: 'Seconds until a retry makes sense.', type: 'integer' };
const shouldRetry: Header = {
  description: '`false` where a retry cannot help: tells the SDKs of OpenAI.',
  type: 'string',
  enum: ['false'],
};
const authenticate: Header = { description: 'How to authenticate.', type: 'string', required: true };

/** A JSON answer. */
export function json(
  description: string,
  schema: string | JsonSchema,
  extra: { headers?: Record<string, Header>; examples?: Record<string, Example> } = {},
): Response {
  const content = {
    schema: typeof schema === 'string' ? ref(schema) : schema,
    ...(extra.examples ? { examples: extra.examples } : {}),
  };
  return {
    description,
    headers: { ...always, ...extra.headers },
    content: { 'application/json': content },
  };
}

/** An answer without a body. */
export function empty(description: string, headers: Record<string, Header> = {}): Response {
  return { description, headers: { ...always, ...headers }, type: 'null' };
}

/** An answer in other content types. */
export function raw(
  description: string,
  contentTypes: readonly string[],
  schema: JsonSchema = { type: 'string' },
  headers: Record<string, Header> = {},
): Response {
  return {
    description,
    headers: { ...always, ...headers },
    content: Object.fromEntries(contentTypes.map((contentType) => [contentType, { schema }])),
  };
}

/** The bytes of an image. */
export function image(description: string, headers: Record<string, Header> = {}): Response {
  return raw(
    description,
    ['image/png', 'image/jpeg', 'image/webp'],
    { type: 'string', format: 'binary' },
    headers,
  );
}

const everywhere: readonly ErrorCode[] = [
  'invalid_request',
  'internal',
  'request_timeout',
  'headers_too_large',
];
const keyed: readonly ErrorCode[] = [
  'unauthorized',
  'insufficient_scope',
  'validation_failed',
  'store_unavailable',
];
const withBody: readonly ErrorCode[] = ['invalid_json', 'payload_too_large', 'unsupported_media_type'];

/**
 * The problems a route may answer with, one response per status, naming the codes.
 *
 * @param kind `open`: needs no key and no store; `body`: reads a body; `params`: has parameters in its path.
 */
export function problems(
  kind: { open?: boolean; body?: boolean; params?: boolean },
  ...codes: ErrorCode[]
): Record<string, Response> {
  const all = new Set([
    ...everywhere,
    ...(kind.open ? [] : keyed),
    ...(kind.body ? withBody : []),
    ...(kind.params ? (['uri_too_long'] as const) : []),
    ...codes,
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of all) {
    const { status } = errorRow(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, list]) => [String(status), problem(status, list)]));
}

function problem(status: number, codes: readonly ErrorCode[]): Response {
  const retryable = codes.filter((code) => errorRow(code).retryable).length;
  const headers = {
    ...always,
    ...(retryable > 0 ? { 'retry-after': { ...retryAfter, required: retryable === codes.length } } : {}),
    ...(retryable < codes.length ? { 'x-should-retry': { ...shouldRetry, required: retryable === 0 } } : {}),
    ...(status === 401 ? { 'www-authenticate': authenticate } : {}),
  };
  const examples = Object.fromEntries(codes.map((code) => [code, problemExampleOf(code)]));
  return {
    description: codes.map((code) => `\`${code}\`: ${errorRow(code).title}`).join('. '),
    headers,
    content: { 'application/problem+json': { schema: ref('Problem'), examples } },
  };
}

const idParamsOf = (description: string): JsonSchema => ({
  type: 'object',
  properties: { id: { type: 'string', description } },
  required: ['id'],
});

/** Parameters that several routes share. */
export const idParams = idParamsOf('Id of the job, `img_...`.');
export const endpointParams = idParamsOf('Id of the endpoint, `whk_...`.');
export const deliveryParams = idParamsOf('Id of the delivery, `dlv_...`.');

export const defaultPageSize = 20;

/** Seconds until another poll makes sense. */
export const pollSeconds = 2;

/** Query parameters of every list. */
export const pageQuery = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 100,
    description: `Length of a page; ${defaultPageSize} when absent.`,
  },
  cursor: { type: 'string', maxLength: 128, description: '`next_cursor` of the page before.' },
} as const satisfies Record<string, JsonSchema>;

/** Request headers that several routes share. They are read by `headers.ts`; this only documents them. */
export const requestHeader = {
  idempotencyKey: {
    type: 'string',
    minLength: 1,
    maxLength: 257,
    description:
      '1 to 255 visible ASCII characters, bare or quoted; the same key with the same body gives the same job.',
    examples: ['order-4711'],
  },
  prefer: {
    type: 'string',
    description:
      '`wait=N` holds the answer until the job has ended or N seconds, at most 55, have passed; `respond-async` does not wait.',
    examples: ['wait=50'],
  },
  ifNoneMatch: { type: 'string', description: 'ETags of answers at hand; a match answers 304.' },
} as const satisfies Record<string, JsonSchema>;
