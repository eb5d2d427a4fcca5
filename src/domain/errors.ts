import type { Quota } from './quota.ts';

/**
 * The only table of errors. The HTTP layer renders a code as problem+json. The worker derives "retry" or "stop" from it.
 * Both read the same row, so a code has the same meaning for every caller.
 */

/** Known charges of an ended call or job: nothing was charged, a charge is possible, or it was charged. */
export const billings = ['none', 'possible', 'charged'] as const;
export type Billing = (typeof billings)[number];

interface ErrorRow {
  /** HTTP status of a response with this error. */
  readonly status: number;
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean;
  /** Short, stable summary (RFC 9457 `title`). */
  readonly title: string;
  /** Possible `billing` values of a job or an image that ends with this error. Absent if the error only refuses requests. */
  readonly billing?: readonly Billing[];
}

const table = {
  invalid_json: { status: 400, retryable: false, title: 'The body is not valid JSON' },
  invalid_request: { status: 400, retryable: false, title: 'The request is malformed' },
  invalid_idempotency_key: { status: 400, retryable: false, title: 'The Idempotency-Key is malformed' },
  unauthorized: { status: 401, retryable: false, title: 'A valid API key is needed' },
  budget_exceeded: {
    status: 402,
    retryable: false,
    title: 'The budget is exhausted',
    billing: billings,
  },
  insufficient_scope: { status: 403, retryable: false, title: 'The API key lacks the scope for this' },
  origin_not_allowed: { status: 403, retryable: false, title: 'Pages of this origin may not call' },
  tenant_suspended: { status: 403, retryable: false, title: 'The tenant is suspended' },
  model_not_allowed: { status: 403, retryable: false, title: 'The API key does not allow the model' },
  preset_required: { status: 403, retryable: false, title: 'The API key allows presets only' },
  too_many_records: { status: 403, retryable: false, title: 'The records of the tenant reach their limit' },
  link_expired: { status: 403, retryable: false, title: 'The link is expired or was altered' },
  not_found: { status: 404, retryable: false, title: 'Not found' },
  method_not_allowed: { status: 405, retryable: false, title: 'The method is not allowed here' },
  request_timeout: { status: 408, retryable: true, title: 'The request took too long to arrive' },
  already_terminal: { status: 409, retryable: false, title: 'The job has already ended' },
  not_retryable_job: {
    status: 409,
    retryable: false,
    title: 'Only a job that ended without success can be retried',
  },
  nothing_to_settle: { status: 409, retryable: false, title: 'The job has no charge that can be settled' },
  endpoint_disabled: { status: 409, retryable: false, title: 'The webhook endpoint is switched off' },
  too_many_secrets: { status: 409, retryable: false, title: 'Too many secrets are valid at the same time' },
  key_revoked: { status: 409, retryable: false, title: 'The API key is revoked' },
  own_key: {
    status: 409,
    retryable: false,
    title: 'The change would lock out the API key that requests it',
  },
  too_many_uploads: { status: 409, retryable: false, title: 'The uploads take all the space of the tenant' },
  too_many_keys: { status: 409, retryable: false, title: 'The tenant has as many keys as allowed' },
  too_many_endpoints: { status: 409, retryable: false, title: 'There are as many endpoints as allowed' },
  canceled: { status: 409, retryable: false, title: 'The job was canceled' },
  erased: { status: 410, retryable: false, title: 'The job was erased' },
  payload_too_large: { status: 413, retryable: false, title: 'The body is too large' },
  uri_too_long: { status: 414, retryable: false, title: 'The address is too long' },
  unsupported_media_type: { status: 415, retryable: false, title: 'The type of the body is not accepted' },
  validation_failed: { status: 422, retryable: false, title: 'The request is not valid' },
  idempotency_key_reused: {
    status: 422,
    retryable: false,
    title: 'The Idempotency-Key was used for another request',
  },
  model_retired: { status: 422, retryable: false, title: 'The model is retired' },
  model_unknown: { status: 422, retryable: false, title: 'The model is not in the catalogue' },
  cost_unknown: { status: 422, retryable: false, title: 'The cost of the request is unknown' },
  max_cost_exceeded: { status: 422, retryable: false, title: 'The estimate is above max_cost_micro_usd' },
  input_invalid: {
    status: 422,
    retryable: false,
    title: 'An input image cannot be used',
    billing: ['none'],
  },
  destination_forbidden: { status: 422, retryable: false, title: 'The address may not be called' },
  too_many_requests: { status: 429, retryable: true, title: 'Too many requests' },
  moderation_throttled: {
    status: 429,
    retryable: true,
    title: 'Too many prompts of the tenant were blocked',
  },
  headers_too_large: { status: 431, retryable: false, title: 'The headers are too large' },
  internal: {
    status: 500,
    retryable: true,
    title: 'Something went wrong on our side',
    billing: ['possible'],
  },
  queue_full: { status: 503, retryable: true, title: 'The queue is full' },
  store_full: { status: 503, retryable: true, title: 'The job store has no room for new work' },
  store_unavailable: { status: 503, retryable: true, title: 'The job store is not available' },
  storage_unavailable: { status: 503, retryable: true, title: 'The image storage cannot be reached' },
  newer_release: {
    status: 503,
    retryable: true,
    title: 'The job was written by a newer release of the service',
  },
  shutting_down: { status: 503, retryable: true, title: 'This instance is shutting down' },

  // The following errors can end or delay a job. Their status matters only if a caller waits for the job itself.
  input_unavailable: {
    status: 502,
    retryable: true,
    title: 'An input image could not be fetched',
    billing: ['none'],
  },
  moderation_blocked: {
    status: 422,
    retryable: false,
    title: 'The provider refused the content',
    billing: ['none', 'charged'],
  },
  provider_rate_limited: {
    status: 503,
    retryable: true,
    title: 'The provider limits the rate of calls',
    billing: ['none', 'charged'],
  },
  provider_overloaded: {
    status: 503,
    retryable: true,
    title: 'The provider is overloaded',
    billing: ['none', 'charged'],
  },
  provider_unreachable: {
    status: 503,
    retryable: true,
    title: 'The provider cannot be reached',
    billing: ['none'],
  },
  provider_quota_exhausted: {
    status: 503,
    retryable: true,
    title: 'The provider account has no credit left',
    billing: ['none', 'charged'],
  },
  provider_unauthorized: {
    status: 502,
    retryable: true,
    title: 'The provider refused our credentials',
    billing: ['none', 'charged'],
  },
  provider_rejected: {
    status: 422,
    retryable: false,
    title: 'The provider refused the request',
    billing: ['none', 'charged'],
  },
  provider_outcome_unknown: {
    status: 502,
    retryable: true,
    title: 'It is unknown whether the provider made the image',
    billing: ['possible'],
  },
  provider_unusable_answer: {
    status: 502,
    retryable: true,
    title: 'The provider sent no usable image',
    billing: ['possible', 'charged'],
  },
  storage_failed: {
    status: 502,
    retryable: true,
    title: 'The image could not be stored',
    billing: ['possible'],
  },
  queue_timeout: {
    status: 504,
    retryable: true,
    title: 'The job waited longer than queue_ttl_s',
    billing: ['none'],
  },
  run_timeout: {
    status: 504,
    retryable: true,
    title: 'The job ran longer than run_timeout_s',
    billing: billings,
  },
  worker_lost: {
    status: 500,
    retryable: false,
    title: 'Workers died too often while running this job',
    billing: billings,
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof table;

/** Every stable error code, for documentation and schemas. */
export const errorCodes = Object.keys(table) as [ErrorCode, ...ErrorCode[]];

/** Returns the row of a code. */
export function errorRow(code: ErrorCode): ErrorRow {
  return table[code];
}

/** Returns a stored code, or `internal` for a code that a newer release wrote. */
export function shownCode(code: string): ErrorCode {
  return Object.hasOwn(table, code) ? (code as ErrorCode) : 'internal';
}

/** A fault in a request: a JSON Pointer (RFC 6901) and the correction that the caller has to make. */
export interface FieldIssue {
  readonly pointer: string;
  readonly detail: string;
}

interface AppErrorOptions {
  /** Public text: the failure and the action. It is sent to the caller. */
  readonly detail?: string;
  readonly issues?: readonly FieldIssue[];
  /** Delay before a retry can succeed, in seconds. It is sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  /** Further members of the problem, by their names on the wire. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** States of the caller's limits. They are sent as headers. */
  readonly quotas?: readonly Quota[];
  /** Internal cause. It is logged and never sent to the caller. */
  readonly cause?: unknown;
}

/** The only error type that crosses modules. Adapters translate foreign errors into it at their own boundary. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly FieldIssue[];
  readonly retryAfterSeconds: number | undefined;
  readonly members: Readonly<Record<string, unknown>>;
  readonly quotas: readonly Quota[];

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(options.detail ?? table[code].title, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.issues = options.issues ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.members = options.members ?? {};
    this.quotas = options.quotas ?? [];
  }
}
