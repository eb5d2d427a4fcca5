import type { ImageJobView } from '../../domain/job-view.ts';
import { errorOf, isConnectionError, mayHaveArrived, Refusal, TransientError } from './call-errors.ts';
import { withRetry } from './retry.ts';

export interface StreamEvent {
  /** What `events` takes as `after`. */
  readonly no: string;
  readonly status: string;
  readonly stage: string | null;
  readonly job?: ImageJobView;
}

/**
 * The few calls that the command line makes to a running service. What may be repeated without harm is repeated while
 * the service is away for a moment, unless it never was there.
 *
 * @throws Refusal when nothing was done, TransientError when it may be over later, both in words a person can act on.
 */
export interface ApiClient {
  /** @param key makes the order safe to repeat, should the answer be lost. */
  submit(body: Record<string, unknown>, key: string): Promise<ImageJobView>;
  get(id: string): Promise<ImageJobView>;
  /** Ends with the last event of the job, or sooner: proxies and restarts cut streams. A stream is opened once. */
  events(id: string, after: string): AsyncGenerator<StreamEvent>;
  download(url: string): Promise<Uint8Array>;
  /** Any other call that answers with JSON or nothing. */
  request<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

interface Call<T> {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Whether a second call does no more than the first. */
  readonly mayRepeat: boolean;
  readonly read: (response: Response) => Promise<T>;
}

interface Options {
  readonly url: string;
  readonly apiKey: string | undefined;
  /** Takes a line for the person who waits. */
  readonly say: (line: string) => void;
}

export function createApiClient({ url, apiKey, say }: Options): ApiClient {
  if (!apiKey)
    throw new Error('No API key. Set DARKROOM_API_KEY, or start `darkroom dev` in this folder first.');
  const authorization = { authorization: `Bearer ${apiKey}` };
  let hasResponded = false;

  /** One exchange, to the last byte that is read of it. */
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
      throw new Refusal(`No service answers at ${url}. Start one with: darkroom dev`, { cause: error });
    }
  }

  function call<T>(path: string, { method, headers, body, mayRepeat, read }: Call<T>): Promise<T> {
    const contentType = body === undefined ? {} : { 'content-type': 'application/json' };
    const init: RequestInit = {
      method: method ?? 'GET',
      // A redirected POST may become a GET, which would order nothing and seem to have worked.
      redirect: 'manual',
      headers: { ...authorization, ...contentType, ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    };
    const once = () => exchange(new URL(`${url.replace(/\/+$/, '')}${path}`), init, read);
    return mayRepeat ? withRetry(once, say) : once();
  }

  return {
    submit: (body, key) =>
      call('/images', {
        method: 'POST',
        headers: { 'idempotency-key': key },
        body,
        mayRepeat: true,
        read: jobOf,
      }),
    request: <T>(method: 'POST' | 'DELETE', path: string, body?: unknown) =>
      call(path, {
        method,
        body,
        mayRepeat: method === 'DELETE',
        read: async (response) => {
          const text = await response.text();
          return (text === '' ? undefined : JSON.parse(text)) as T;
        },
      }),
    get: (id) =>
      call(`/images/${id}`, {
        mayRepeat: true,
        read: jobOf,
      }),
    async *events(id, after) {
      const stream = await call(`/images/${id}/events`, {
        headers: { 'last-event-id': after },
        mayRepeat: false,
        read: async (response) => response.body,
      });
      if (stream) yield* eventsIn(stream);
    },
    // The link carries its own right to read; the key does not leave for another host.
    download: (link) =>
      withRetry(
        () =>
          exchange(new URL(link, url), {}, async (response) => new Uint8Array(await response.arrayBuffer())),
        say,
      ),
  };
}

async function jobOf(response: Response): Promise<ImageJobView> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error('What answers at DARKROOM_URL does not speak as a Darkroom: no JSON came.', { cause });
  }
}

/** Reads server-sent events until the stream ends or breaks. */
async function* eventsIn(stream: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let buffered = '';
  try {
    for await (const chunk of stream) {
      buffered += decoder.decode(chunk, { stream: true });
      const blocks = buffered.split('\n\n');
      buffered = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const data = field('data');
        if (data) yield { ...JSON.parse(data), no: field('id') ?? '0' };
      }
    }
  } catch (error) {
    if (!isConnectionError(error)) throw error;
  }
}
