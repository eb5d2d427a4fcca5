import { ApiError } from './api-error.ts';
import { type Query, queryText } from './query-text.ts';
import { noteServerTime } from './server-clock.ts';
import type { Problem } from './types.ts';

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
    noteServerTime(response.headers.get('date'));
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
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const body = isJson ? ((await response.json().catch(() => null)) as Partial<Problem> | null) : null;
  // Proxies respond with JSON of their own.
  const problem = typeof body?.code === 'string' && body.type ? (body as Problem) : null;
  return new ApiError({ message: textOf(problem) ?? `HTTP ${status}`, status, problem, retryAfterS });
}

/** Returns the faults of the fields, which `detail` only refers to, or the detail. */
function textOf(problem: Problem | null): string | undefined {
  const faults = problem?.errors?.map(({ pointer, detail }) => `${pointer.slice(1)}: ${detail}`) ?? [];
  return faults.length > 0 ? faults.slice(0, 3).join(' ') : problem?.detail;
}

/** Returns whether a rejection is the abort of a call. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
