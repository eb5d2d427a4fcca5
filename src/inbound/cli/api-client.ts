import type { ImageJobView } from '../../domain/job-view.ts';
import { withoutTrailingSlashes } from '../../lib/trim-slashes.ts';
import { errorOf, isConnectionError, mayHaveArrived, Refusal, TransientError } from './call-errors.ts';
import { withRetry } from './retry.ts';
import { readServerEvents } from './server-events.ts';

export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly stage: string | null;
  readonly at: string;
  /** Present in the last event of a job. */
  readonly job?: ImageJobView;
}

/** A step of a stream. The first step of a stream may have no event. */
export interface StreamStep {
  /** Position for the `after` parameter. */
  readonly no: string | undefined;
  readonly event: StreamEvent | undefined;
}

/**
 * Client for a running service. Retries idempotent calls during a short outage, unless the service never responded.
 *
 * @throws Refusal if the service did nothing, TransientError if a later call may succeed.
 */
export interface ApiClient {
  /**
   * Submits a job, as JSON or as a form with files, which are read anew for each try.
   *
   * @param key idempotency key, which makes the call safe to retry if its response is lost.
   */
  submit(body: Record<string, unknown> | FormData, key: string): Promise<ImageJobView>;
  get(id: string): Promise<ImageJobView>;
  /** Yields events until the terminal one, or until a proxy or a restart cuts the stream. Never reconnects. */
  events(id: string, after: string): AsyncGenerator<StreamStep>;
  /** Yields events of all jobs until the stream is cut or the signal aborts. Never reconnects. */
  allEvents(after: string | undefined, signal: AbortSignal): AsyncGenerator<StreamStep>;
  download(url: string): Promise<Uint8Array>;
  /** Makes any other call. The response is JSON or empty. */
  request<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

interface Call<T> {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** True if a second call has no further effect. */
  readonly isIdempotent: boolean;
  readonly signal?: AbortSignal;
  readonly read: (response: Response) => Promise<T>;
}

interface Options {
  readonly url: string;
  readonly apiKey: string | undefined;
  /** Prints a line for the user. */
  readonly say: (line: string) => void;
}

export function createApiClient({ url, apiKey, say }: Options): ApiClient {
  if (!apiKey)
    throw new Error('Missing API key. Set DARKROOM_API_KEY, or start `darkroom dev` in this folder first.');
  const authorization = { authorization: `Bearer ${apiKey}` };
  let hasResponded = false;

  /** Makes one call and reads its response to the end. */
  async function exchange<T>(target: URL, init: RequestInit, read: Call<T>['read']): Promise<T> {
    try {
      const response = await fetch(target, init);
      hasResponded = true;
      if (!response.ok) throw await errorOf(response);
      return await read(response);
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      if (hasResponded || mayHaveArrived(error)) {
        throw new TransientError(`The connection to ${target.origin} broke`, { cause: error });
      }
      throw new Refusal(`No service responds at ${url}. Start one with: darkroom dev`, { cause: error });
    }
  }

  function call<T>(path: string, { method, headers, body, isIdempotent, signal, read }: Call<T>): Promise<T> {
    const isForm = body instanceof FormData;
    const contentType = body === undefined || isForm ? {} : { 'content-type': 'application/json' };
    const init: RequestInit = {
      method: method ?? 'GET',
      // A redirected POST may become a GET, which would do nothing and seem to succeed.
      redirect: 'manual',
      headers: { ...authorization, ...contentType, ...headers },
      body: isForm ? body : body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    };
    const once = () => exchange(new URL(`${withoutTrailingSlashes(url)}${path}`), init, read);
    return isIdempotent ? withRetry(once, say) : once();
  }

  async function* stream(
    path: string,
    { after, signal }: { after: string | undefined; signal?: AbortSignal },
  ): AsyncGenerator<StreamStep> {
    const body = await call(path, {
      headers: after === undefined ? {} : { 'last-event-id': after },
      isIdempotent: false,
      ...(signal ? { signal } : {}),
      read: async (response) => response.body,
    });
    if (!body) return;
    try {
      for await (const { id, data } of readServerEvents(body)) {
        yield { no: id, event: data === undefined ? undefined : (JSON.parse(data) as StreamEvent) };
      }
    } catch (error) {
      if (!isConnectionError(error)) throw error;
    }
  }

  return {
    submit: (body, key) =>
      call('/images', {
        method: 'POST',
        headers: { 'idempotency-key': key },
        body,
        isIdempotent: true,
        read: readJob,
      }),
    request: <T>(method: 'POST' | 'DELETE', path: string, body?: unknown) =>
      call(path, {
        method,
        body,
        isIdempotent: method === 'DELETE',
        read: async (response) => {
          const text = await response.text();
          return (text === '' ? undefined : JSON.parse(text)) as T;
        },
      }),
    get: (id) =>
      call(`/images/${id}`, {
        isIdempotent: true,
        read: readJob,
      }),
    events: (id, after) => stream(`/images/${id}/events`, { after }),
    allEvents: (after, signal) => stream('/events', { after, signal }),
    // The link is signed, and the API key must not be sent to another host.
    download: (link) =>
      withRetry(
        () =>
          exchange(new URL(link, url), {}, async (response) => new Uint8Array(await response.arrayBuffer())),
        say,
      ),
  };
}

async function readJob(response: Response): Promise<ImageJobView> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('The server at DARKROOM_URL is not a Darkroom: its response is not JSON.', { cause });
  }
}
