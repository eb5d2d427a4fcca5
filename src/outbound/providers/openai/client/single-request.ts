import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { ClientOptions, OpenAI } from 'openai';
import { type Dispatcher, request } from 'undici';
import { completeJson } from './complete-json.ts';
import { unpackBody } from './unpack-body.ts';

/** One HTTP request and its outcome. */
export interface SingleRequest {
  /**
   * Replaces `fetch` in the official client. Follows no redirect and never sends a second request, because a second
   * request could be charged again.
   *
   * @returns status and headers, and the body only if the status is not 2xx. `body` returns the body of a 2xx response.
   */
  send(url: string | URL, init: RequestInit): Promise<Response>;
  /** Returns the body of a response whose status is not 2xx, or `undefined` until it has arrived. */
  refusal(): string | undefined;
  /** Returns the decompressed body of a 2xx response while it arrives, or `undefined` until the headers have arrived. */
  body(): AsyncIterable<Uint8Array> | undefined;
  /** Returns whether a byte of the request may have been written to a socket. If false, nothing was sent. */
  started(): boolean;
  /** Returns the transport error of the exchange. The official client hides it behind some of its own errors. */
  failure(): Error | undefined;
}

const statusesWithoutBody = new Set([204, 205]);
/** Buffer for several chunks of 64 KiB, so that the socket does not pause and resume for each chunk. */
const chunksAheadBytes = 256 * 1024;

/**
 * Prepares one request that uses the HTTP client directly instead of `fetch`. For the megabytes of an image, the streams of
 * `fetch` cost more time than all other processing together.
 *
 * @param maxRefusalBytes maximum size of a body with a status other than 2xx. A larger body is read up to this size.
 */
export function createSingleRequest(agent: Dispatcher, maxRefusalBytes: number): SingleRequest {
  const seen: { sent: boolean; started: boolean; failure?: Error; body?: Readable; refusal?: string } = {
    sent: false,
    started: false,
  };

  const dispatcher = agent.compose((dispatch) => (options, inner) => dispatch(options, watched(inner)));

  /** Wraps the handler of a dispatch, because only the connection knows when it begins to write. */
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
      const unpacked = await unpackBody(response.body, response.headers['content-encoding']);
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

/** Returns options that pass a request through the client to `fetchCarried`. */
export function carrying(single: SingleRequest): NonNullable<OpenAI.RequestOptions['fetchOptions']> {
  return { single } as NonNullable<OpenAI.RequestOptions['fetchOptions']>;
}

/** Implements `fetch` for a client that receives a prepared request with every call. */
export const fetchCarried: NonNullable<ClientOptions['fetch']> = (url, init = {}) =>
  (init as RequestInit & { single: SingleRequest }).single.send(url as string | URL, init);

/**
 * Returns the text of a refusal. A refusal that breaks off or is too long is completed after the bytes that were read,
 * because its reason usually precedes its details.
 */
async function textOf(body: Readable, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let total = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      total += part.length;
      parts.push(part);
      if (total > maxBytes) return completeJson(Buffer.concat(parts).toString('utf8', 0, maxBytes));
    }
    return Buffer.concat(parts).toString();
  } catch {
    return completeJson(Buffer.concat(parts).toString());
  }
}

function headersOf(fields: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(fields)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
}
