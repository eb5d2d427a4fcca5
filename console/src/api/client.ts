import { type Query, queryText } from './query-text.ts';
import type { Problem } from './types.ts';

/** A failed call: the problem that the service responded with, or a lost connection. */
export class ApiError extends Error {
  /** HTTP status; 0 if the connection was lost. */
  readonly status: number;
  /** Null if the connection was lost, or the response is not from the service. */
  readonly problem: Problem | null;
  readonly retryAfterS: number | null;

  constructor(failure: {
    message: string;
    status: number;
    problem?: Problem | null;
    retryAfterS?: number | null;
  }) {
    super(failure.message);
    this.name = 'ApiError';
    this.status = failure.status;
    this.problem = failure.problem ?? null;
    this.retryAfterS = failure.retryAfterS ?? null;
  }

  get isConnectionLost(): boolean {
    return this.status === 0;
  }

  /** Whether the same call may succeed later. */
  get isPassing(): boolean {
    return this.isConnectionLost || (this.problem?.retryable ?? this.status >= 500);
  }

  /**
   * Whether the service may have accepted the request: the connection was lost, a proxy responded for the service, or the
   * wait ended. A repetition with the same idempotency key shows the outcome.
   */
  get isOutcomeUnknown(): boolean {
    if (this.problem) return this.problem.code === 'run_timeout';
    return this.isConnectionLost || this.status >= 502;
  }
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Values that are undefined, null or empty are left out. */
  readonly query?: Query;
  /** Sent as JSON, unless it is a Blob. */
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `manual` refuses a redirect, for bytes that another origin may serve. */
  readonly redirect?: RequestRedirect;
  readonly signal?: AbortSignal | undefined;
}

/** Client of the API with the key of the session. Rejects with ApiError; an aborted call rejects with AbortError. */
export interface Api {
  /** Returns the body of a response as JSON; undefined if there is none. */
  call<T>(path: string, options?: CallOptions): Promise<T>;
  /** Returns a successful response, for streams and bytes. */
  open(path: string, options?: CallOptions): Promise<Response>;
}

/** Creates a client. */
export function createApi(
  key: string,
  {
    origin = location.origin,
    onUnauthorized,
  }: { origin?: string; onUnauthorized?: (error: ApiError) => void } = {},
): Api {
  async function open(path: string, options: CallOptions = {}): Promise<Response> {
    let response: Response;
    const url = new URL(`${origin}${path}${queryText(options.query)}`);
    // An id of an address such as `..%2Fkeys` would lead to another resource.
    if (url.pathname !== path.split('?')[0]) throw new ApiError({ message: path, status: 404 });
    try {
      response = await fetch(url, requestInit(key, options));
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new ApiError({ message: String(error), status: 0 });
    }
    if (response.ok) return response;
    const error = await errorOf(response);
    if (error.status === 401) onUnauthorized?.(error);
    throw error;
  }
  return {
    open,
    async call<T>(path: string, options: CallOptions = {}) {
      const response = await open(path, options);
      if (response.status === 204) return undefined as T;
      try {
        return (await response.json()) as T;
      } catch (error) {
        if (options.signal?.aborted) throw error;
        // The connection was cut in the body. The caller cannot know the result, as without a response.
        throw new ApiError({ message: String(error), status: 0 });
      }
    },
  };
}

function requestInit(key: string, options: CallOptions): RequestInit {
  const { body, idempotencyKey, signal } = options;
  const isJson = body !== undefined && !(body instanceof Blob);
  return {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: `Bearer ${key}`,
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...(body instanceof Blob ? { 'content-type': body.type } : {}),
      ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as Blob) }),
    ...(signal ? { signal } : {}),
    redirect: options.redirect ?? 'follow',
    cache: 'no-store',
  };
}

async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response;
  const seconds = Number(response.headers.get('retry-after'));
  const retryAfterS = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  const isProblem = /json/.test(response.headers.get('content-type') ?? '');
  const problem = isProblem ? ((await response.json().catch(() => null)) as Problem | null) : null;
  return new ApiError({ message: problem?.detail ?? `HTTP ${status}`, status, problem, retryAfterS });
}

/** Returns whether a rejection is the abort of a call. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
