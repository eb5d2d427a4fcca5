import { createDeadline, type Deadline } from './deadline.ts';
import { ConnectionError, errorOf, UnexpectedResponseError } from './errors.ts';
import type { Client } from './generated/client/index.ts';
import { createGeneratedClient } from './generated-client.ts';

export type Fetch = typeof globalThis.fetch;

/** Text of an API key, or a function that returns it, for keys that are rotated. */
export type ApiKey = string | (() => string | Promise<string>);

export interface Connection {
  readonly baseUrl: string;
  readonly apiKey: ApiKey;
  readonly fetch: Fetch;
  /** Maximum time of one attempt of a call. */
  readonly timeoutMs: number;
}

/** Limits of one call. */
export interface CallLimits {
  /** Time that the call may take in addition to the usual limit. */
  readonly extraMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends single calls. Nothing is retried here. Failures are DarkroomErrors, or the reason of an aborted signal. */
export interface Transport {
  /** Client for the generated functions. */
  readonly client: Client;
  /** Returns the options of a call by a generated function. */
  call(limits?: CallLimits): { client: Client; throwOnError: true; fetch: Fetch };
  /** Posts a form, for which no function is generated, and returns the JSON of the response. */
  postForm(
    path: string,
    init: { form: FormData; headers: HeadersInit },
    limits: CallLimits,
  ): Promise<unknown>;
  /** Opens a stream. The deadline covers the stream too. */
  open(path: string, headers: Record<string, string>, deadline: Deadline): Promise<Response>;
  /** Reads a signed link to the end. The API key is not sent with it, because another host may serve it. */
  download(link: string, limits: CallLimits): Promise<Uint8Array<ArrayBuffer>>;
}

type HeadersInit = Record<string, string>;

export function createTransport({ baseUrl, apiKey, fetch, timeoutMs }: Connection): Transport {
  const origin = addressOf(baseUrl);
  if (typeof apiKey === 'string') checkedKey(apiKey);
  const keyText = async () => checkedKey(typeof apiKey === 'function' ? await apiKey() : apiKey);
  const authorized = async (headers: HeadersInit) => ({
    ...headers,
    authorization: `Bearer ${await keyText()}`,
  });

  /** Runs work that uses the connection and translates its failures. */
  async function guarded<T>(work: () => Promise<T>, deadline: Deadline, signal?: AbortSignal): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (deadline.hasPassed()) throw new ConnectionError(`${origin} sent nothing for too long`, error);
      if (isConnectionFailure(error)) throw new ConnectionError(`The connection to ${origin} failed`, error);
      throw error;
    }
  }

  /** Runs a whole exchange within the time limit, the body of the response included. */
  async function exchange<T>(
    work: (deadline: Deadline) => Promise<T>,
    { extraMs = 0, signal }: CallLimits,
  ): Promise<T> {
    const deadline = createDeadline(timeoutMs + extraMs, signal);
    try {
      return await guarded(() => work(deadline), deadline, signal);
    } finally {
      deadline.end();
    }
  }

  /** Sends a call of a generated function and reads its response to the end, so that a break is noticed here. */
  const boundedFetch =
    (limits: CallLimits): Fetch =>
    (input, init) => {
      const request = new Request(input, init);
      return exchange(
        async ({ signal }) => {
          const isRead = request.method === 'GET';
          const response = await checked(
            await fetch(request, { signal, redirect: isRead ? 'follow' : 'manual' }),
          );
          const { status, statusText, headers } = response;
          const bytes = await response.arrayBuffer();
          if (isJson(headers)) parseJson(new TextDecoder().decode(bytes), response);
          return new Response(bytes.byteLength === 0 ? null : bytes, { status, statusText, headers });
        },
        { ...limits, signal: limits.signal ?? request.signal },
      );
    };

  const client = createGeneratedClient({ baseUrl: origin, auth: keyText, fetch: boundedFetch({}) });

  return {
    client,
    call: (limits = {}) => ({ client, throwOnError: true, fetch: boundedFetch(limits) }),
    async postForm(path, { form, headers }, limits) {
      const init = { method: 'POST', body: form, headers: await authorized(headers) };
      return exchange(async ({ signal }) => {
        const response = await checked(
          await fetch(`${origin}${path}`, { ...init, signal, redirect: 'manual' }),
        );
        return parseJson(await response.text(), response);
      }, limits);
    },
    async open(path, headers, deadline) {
      const init = { headers: await authorized(headers), signal: deadline.signal };
      return guarded(async () => checked(await fetch(`${origin}${path}`, init)), deadline);
    },
    download: (link, limits) =>
      exchange(async ({ signal }) => {
        const response = await checked(await fetch(new URL(link, `${origin}/`), { signal }));
        return new Uint8Array(await response.arrayBuffer());
      }, limits),
  };
}

/**
 * Returns the address of a service without a slash at its end. A page may name its own service by a path.
 *
 * @throws TypeError if `fetch` could not use the address. It would look like a broken connection.
 */
function addressOf(baseUrl: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const url = URL.canParse(baseUrl, page) ? new URL(baseUrl, page) : undefined;
  const isUsable = url && /^https?:$/.test(url.protocol) && !url.username && !url.password;
  if (!isUsable || url.search || url.hash) {
    throw new TypeError(
      'baseUrl must be an address such as https://darkroom.example, without user or query.',
    );
  }
  return url.href.replace(/\/+$/, '');
}

/** Returns a key without white space at its ends. @throws TypeError, without the key, if no header can contain it */
function checkedKey(text: string): string {
  const key = text?.trim();
  if (!key) throw new TypeError('Missing apiKey.');
  if (!/^[\x20-\x7e]+$/.test(key)) throw new TypeError('The apiKey contains characters that no key has.');
  return key;
}

/** Returns true for JSON and its kinds, such as problem+json. The lines of the ledger are none. */
export const isJson = (headers: Headers): boolean =>
  /^application\/(?:[\w.-]+\+)?json\b/.test(headers.get('content-type') ?? '');

/** @throws UnexpectedResponseError if the text is no complete JSON, because a proxy cut or changed it */
function parseJson(text: string, response: Response): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new UnexpectedResponseError('The server sent a damaged response.', response);
  }
}

/** Rejects errors and redirects. A redirected POST would become a GET, which does nothing and seems to succeed. */
async function checked(response: Response): Promise<Response> {
  const { status, type, headers } = response;
  if (type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304)) {
    const target = headers.get('location') ?? 'another server';
    throw new UnexpectedResponseError(
      `The server redirects to ${target}. Set baseUrl to that server.`,
      response,
    );
  }
  if (status >= 400) throw await errorOf(response);
  return response;
}

/** Returns true if `fetch` failed because of the connection. A body that breaks is a DOMException in some browsers. */
export const isConnectionFailure = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof Error && /^(AbortError|NetworkError)$/.test(error.name));
