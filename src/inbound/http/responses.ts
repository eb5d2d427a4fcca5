import { tenantPattern } from '../../domain/api-key.ts';
import { type ErrorCode, errorRow } from '../../domain/errors.ts';
import { problemExampleOf } from './examples.ts';
import { type JsonSchema, ref } from './json-schema.ts';
import type { Example } from './request-examples.ts';

/** Building blocks of the documented responses of a route. */

type Response = Record<string, unknown>;

/** A documented header: its schema, and `required` if every such response has it. */
type Header = JsonSchema & { readonly description: string; readonly required?: boolean };

const always: Record<string, Header> = {
  'x-request-id': {
    description:
      'Id of this request in logs: the id that the caller sent if it is valid, otherwise a new one.',
    type: 'string',
    required: true,
  },
};

export const header = {
  location: {
    description: 'Address of the resource.',
    type: 'string',
    format: 'uri-reference',
    required: true,
  },
  link: { description: 'Link to the bytes.', type: 'string', format: 'uri', required: true },
  pollAfter: { description: 'Seconds until the next poll.', type: 'integer', required: true },
  pollWhileOpen: {
    description: 'Seconds until the next poll. Absent if the job is terminal.',
    type: 'integer',
  },
  replayed: {
    description: '`true` if the Idempotency-Key was used before.',
    type: 'string',
    enum: ['true'],
  },
  preferenceApplied: { description: 'The preferences that were applied.', type: 'string' },
  etag: { description: 'Changes with the body of the response.', type: 'string', required: true },
  deprecation: {
    description:
      'Time of the notice that the model will be shut down, as `@` and Unix seconds (RFC 9745). Absent unless the model is near its end.',
    type: 'string',
  },
  sunset: {
    description: 'Time at which the model is shut down (RFC 8594). Absent unless the model is near its end.',
    type: 'string',
  },
  cacheControl: { description: 'Cache policy of the response.', type: 'string', required: true },
  disposition: {
    description: 'Name of the file, after `inline` or, for svg, `attachment`.',
    type: 'string',
    required: true,
  },
} as const satisfies Record<string, Header>;

export const retryAfter: Header = { description: 'Seconds until a retry may succeed.', type: 'integer' };
const shouldRetry: Header = {
  description: '`false` if a retry cannot help. SDKs of the OpenAI API read it.',
  type: 'string',
  enum: ['false'],
};
export const quotaState: Record<string, Header> = {
  ratelimit: {
    description:
      'State of the limits: for each name the remaining quota `r` and `t`, the seconds until it is whole again or, if nothing remains, until a retry may succeed. A list of Structured Fields. Also on other responses to a key with a limit of requests.',
    type: 'string',
  },
  'ratelimit-policy': {
    description:
      'The limits: for each name the quota `q`, its window `w` in seconds and its unit `qu` if it is not requests. A list of Structured Fields.',
    type: 'string',
  },
};
export const authenticate: Header = { description: 'Authentication scheme.', type: 'string', required: true };

/** Returns a JSON response. */
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

/** Returns a response without a body. */
export function empty(description: string, headers: Record<string, Header> = {}): Response {
  return { description, headers: { ...always, ...headers }, type: 'null' };
}

/** Returns a response in other content types. */
export function raw(
  description: string,
  contentTypes: readonly string[],
  {
    schema = { type: 'string' },
    headers = {},
  }: { schema?: JsonSchema; headers?: Record<string, Header> } = {},
): Response {
  return {
    description,
    headers: { ...always, ...headers },
    content: Object.fromEntries(contentTypes.map((contentType) => [contentType, { schema }])),
  };
}

/** Returns a response with the bytes of an image, which has one of the content types. */
export function image(
  description: string,
  contentTypes: readonly string[],
  headers: Record<string, Header> = {},
): Response {
  return raw(description, contentTypes, {
    schema: { type: 'string', format: 'binary' },
    headers: { 'content-disposition': header.disposition, ...headers },
  });
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
  'tenant_suspended',
  'validation_failed',
  'too_many_requests',
  'store_unavailable',
];
const withBody: readonly ErrorCode[] = ['invalid_json', 'payload_too_large', 'unsupported_media_type'];

interface RouteKind {
  readonly open?: boolean;
  readonly body?: boolean;
  readonly params?: boolean;
  readonly after?: { readonly codes: readonly ErrorCode[]; readonly headers: Record<string, Header> };
}

/**
 * Returns the problems of a route: one response for each status, with its codes, and a default for others.
 *
 * @param kind `open`: needs no key and no store. `body`: reads a body. `params`: has parameters in its path. `after`: codes
 *   with which a job ends that the route accepted, and the headers of such responses.
 */
export function problems(kind: RouteKind, ...codes: ErrorCode[]): Record<string, Response> {
  const all = new Set([
    ...everywhere,
    ...(kind.open ? [] : keyed),
    ...(kind.body ? withBody : []),
    ...(kind.params ? (['uri_too_long'] as const) : []),
    ...(kind.after?.codes ?? []),
    ...codes,
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of all) {
    const { status } = errorRow(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const moreOf = (list: readonly ErrorCode[]) =>
    list.some((code) => kind.after?.codes.includes(code)) ? kind.after?.headers : {};
  return {
    ...Object.fromEntries(
      [...byStatus].map(([status, list]) => [String(status), problem(status, list, moreOf(list))]),
    ),
    default: otherError,
  };
}

/** Documented response for every status without a response of its own. */
export const otherError: Response = {
  description: 'Any other error.',
  headers: always,
  content: { 'application/problem+json': { schema: ref('Problem') } },
};

function problem(
  status: number,
  codes: readonly ErrorCode[],
  more: Record<string, Header> | undefined,
): Response {
  const retryable = codes.filter((code) => errorRow(code).retryable).length;
  const headers = {
    ...always,
    ...(retryable > 0 ? { 'retry-after': { ...retryAfter, required: retryable === codes.length } } : {}),
    ...(retryable < codes.length ? { 'x-should-retry': { ...shouldRetry, required: retryable === 0 } } : {}),
    ...(status === 401 ? { 'www-authenticate': authenticate } : {}),
    ...(status === 429 ? quotaState : {}),
    ...more,
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

/** Path parameters that several routes share. */
export const idParams = idParamsOf('Id of the job, `img_...`.');
export const uploadParams = idParamsOf('Id of the upload, `upl_...`.');
export const keyParams = idParamsOf('Id of the key, `key_...`.');
export const endpointParams = idParamsOf('Id of the endpoint, `whk_...`.');
export const deliveryParams = idParamsOf('Id of the delivery, `dlv_...`.');

export const tenantParams = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: tenantPattern.source, description: 'Name of the tenant.' },
  },
  required: ['name'],
} as const satisfies JsonSchema;

export const defaultPageSize = 20;

/** Seconds until another poll makes sense. */
export const pollSeconds = 2;

/** Query parameters of every list. */
export const pageQuery = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 100,
    description: `Maximum length of the page. Default: ${defaultPageSize}.`,
  },
  cursor: { type: 'string', maxLength: 128, description: '`next_cursor` of the previous page.' },
} as const satisfies Record<string, JsonSchema>;
