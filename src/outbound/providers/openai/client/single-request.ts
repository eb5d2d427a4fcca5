import type { IncomingHttpHeaders } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createUnzip } from 'node:zlib';
import type { ClientOptions, OpenAI } from 'openai';
import { type Dispatcher, request } from 'undici';

/** One HTTP request, and what became of it. */
export interface SingleRequest {
  /**
   * Stands in for `fetch` in the official client. Follows no redirect and sends nothing twice, whatever comes back: a
   * second request could be a second payment.
   *
   * @returns status and headers; a body only where the status is not 2xx. A good answer has its body in `body`.
   */
  send(url: string | URL, init: RequestInit): Promise<Response>;
  /** The body of a response whose status is not 2xx; `undefined` before there is one. */
  refusal(): string | undefined;
  /** The body of a good answer as it arrives, unpacked; `undefined` before there is one. */
  body(): AsyncIterable<Uint8Array> | undefined;
  /** Whether a byte of the request may have been written to a socket. While false, nothing was sent. */
  started(): boolean;
  /** What broke the exchange; the official client hides it behind some of its own errors. */
  failure(): Error | undefined;
}

const statusesWithoutBody = new Set([204, 205]);
/** Chunks come in 64 KiB; with room for a few of them the socket is not stopped and started for each. */
const chunksAheadBytes = 256 * 1024;

/**
 * Prepares one request, straight on the HTTP client instead of through `fetch`: on the megabytes of an image the streams
 * of `fetch` cost more time than everything else that is done with them.
 *
 * @param maxRefusalBytes a body that comes with a status other than 2xx is broken off above this size.
 */
export function createSingleRequest(agent: Dispatcher, maxRefusalBytes: number): SingleRequest {
  const seen: { sent: boolean; started: boolean; failure?: Error; body?: Readable; refusal?: string } = {
    sent: false,
    started: false,
  };

  const dispatcher = agent.compose((dispatch) => (options, inner) => dispatch(options, watched(inner)));

  /** Only the connection knows when it begins to write. */
  function watched(inner: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart(controller, context) {
        seen.started = true;
        inner.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (...args) => inner.onRequestUpgrade?.(...args),
      onResponseStart: (...args) => inner.onResponseStart?.(...args),
      onResponseData: (...args) => inner.onResponseData?.(...args),
      onResponseEnd: (...args) => inner.onResponseEnd?.(...args),
      onResponseError(controller, error) {
        seen.failure = error;
        inner.onResponseError?.(controller, error);
      },
    };
  }

  return {
    async send(url, { method, headers, body, signal }) {
      if (seen.sent) throw new Error('a second request in one call was refused');
      seen.sent = true;
      const response = await request(url, {
        dispatcher,
        method: (method ?? 'GET') as Dispatcher.HttpMethod,
        headers: Object.fromEntries(new Headers(headers)),
        body: (body ?? null) as string | null,
        signal: signal ?? null,
        highWaterMark: chunksAheadBytes,
      });
      const { statusCode: status } = response;
      const unpacked = unpack(response.body, response.headers['content-encoding']);
      if (status >= 200 && status <= 299) {
        if (!statusesWithoutBody.has(status)) seen.body = unpacked;
        return new Response(null, { status, headers: headersOf(response.headers) });
      }
      const text = await textOf(unpacked, maxRefusalBytes);
      seen.refusal = text;
      return new Response(text || null, { status, headers: headersOf(response.headers) });
    },
    body: () => seen.body,
    refusal: () => seen.refusal,
    started: () => seen.started,
    failure: () => seen.failure,
  };
}

/** Hands a request to the client together with the options of one call; `fetchCarried` finds it there. */
export function carrying(single: SingleRequest): NonNullable<OpenAI.RequestOptions['fetchOptions']> {
  return { single } as NonNullable<OpenAI.RequestOptions['fetchOptions']>;
}

/** The `fetch` of a client whose every call carries its request. */
export const fetchCarried: NonNullable<ClientOptions['fetch']> = (url, init = {}) =>
  (init as RequestInit & { single: SingleRequest }).single.send(url as string | URL, init);

/** Packed bodies were not asked for, but some gateways send them all the same. */
function unpack(body: Readable, encoding: string | string[] | undefined): Readable {
  const name = [encoding ?? ''].flat().join(',').trim().toLowerCase();
  const unpacker =
    name === 'br' ? createBrotliDecompress() : /^(?:x-)?gzip$|^deflate$/.test(name) && createUnzip();
  // A fault of one side ends the other, and whoever reads hears of it.
  return unpacker ? pipeline(body, unpacker, () => {}) : body;
}

/** What a refusal says; nothing where that breaks off or is too long: its status tells more than its text. */
async function textOf(body: Readable, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let total = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      total += part.length;
      if (total > maxBytes) return '';
      parts.push(part);
    }
    return Buffer.concat(parts).toString();
  } catch {
    return '';
  }
}

function headersOf(fields: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(fields)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
}
