import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { OpenCall } from './call-log.ts';
import { type Form, readForm } from './edits/read-form.ts';
import { ClientGone } from './refusals.ts';

/** A whole response. A fault can slow or break the delivery of the body. */
type Reply = {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer | string;
  /** Closes the connection after half of the body. */
  readonly breakInMiddle?: boolean;
};

type EventStream = { send(name: string, data: unknown): Promise<void>; end(): void };

/** One request and its response. Every wait rejects with ClientGone if the client disconnects or the studio stops. */
export type Exchange = {
  readonly call: OpenCall;
  /** True if the request carries any key. */
  readonly hasCredentials: boolean;
  /** Digest of the credentials. It tells callers apart. */
  readonly account: string;
  /** True if the query requests a stream of events. */
  readonly wantsEvents: boolean;
  /** True if the body is a multipart form. */
  readonly sendsForm: boolean;
  /** Reads the body as JSON, `{}` if it is empty. Larger bodies are read to the end and dropped (`too-large`). */
  readJson(maxBytes: number): Promise<{ value: unknown } | 'malformed' | 'too-large'>;
  /** Reads the body as a form. The caller removes it. */
  readForm(onField: (name: string, value: string) => void): Promise<Form | 'malformed'>;
  pause(durationMs: number): Promise<void>;
  /** Waits until the client disconnects. */
  waitForever(): Promise<never>;
  /** Spreads the body of a whole response over a time, in milliseconds. */
  slowDown(durationMs: number): void;
  /** Sends a whole response. */
  reply(reply: Reply): Promise<void>;
  /** Starts a `text/event-stream`. */
  startEvents(): EventStream;
  /** Closes the connection deliberately, without a further byte. */
  hangUp(): void;
  /** Resolves when no more bytes can be sent. */
  readonly closed: Promise<void>;
};

/**
 * Wraps one request of the HTTP server. Records the status sent, and whether the client disconnected early.
 *
 * @param stopped aborts when every connection is closed. A pipelined response that was never assigned to a connection
 *   emits no `close` event.
 */
export function createExchange(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  call: OpenCall,
  stopped: AbortSignal,
): Exchange {
  const gone = new AbortController();
  let hungUp = false;
  let slowBodyMs = 0;
  const closed = new Promise<void>((resolve) => {
    const end = () => {
      stopped.removeEventListener('abort', end);
      call.aborted = !response.writableFinished && !hungUp;
      gone.abort();
      resolve();
    };
    response.once('close', end);
    stopped.addEventListener('abort', end, { once: true });
  });
  request.on('error', () => gone.abort());
  response.on('error', () => gone.abort());
  const startedAt = performance.now();

  const start = (status: number, headers: OutgoingHttpHeaders) => {
    if (gone.signal.aborted) throw new ClientGone();
    call.status = status;
    const processingMs = Math.round(performance.now() - startedAt);
    response.writeHead(status, { ...standardHeaders(call.requestId, processingMs), ...headers });
    response.flushHeaders();
  };
  const write = (chunk: Buffer | string) =>
    new Promise<void>((resolve, reject) => {
      const fail = () => reject(new ClientGone());
      if (gone.signal.aborted) return fail();
      gone.signal.addEventListener('abort', fail, { once: true });
      response.write(chunk, (error) => {
        gone.signal.removeEventListener('abort', fail);
        if (error) fail();
        else resolve();
      });
    });
  const pause = async (durationMs: number) => {
    try {
      if (durationMs > 0) await delay(durationMs, undefined, { signal: gone.signal });
    } catch {
      throw new ClientGone();
    }
    if (gone.signal.aborted) throw new ClientGone();
  };
  const hangUp = () => {
    hungUp = true;
    response.destroy();
  };

  return {
    call,
    hasCredentials: hasCredentials(request.headers.authorization ?? ''),
    account: createHash('sha256')
      .update(request.headers.authorization ?? '')
      .digest('base64'),
    wantsEvents: /[?&]stream=true(?:&|$)/.test(request.url ?? ''),
    slowDown(durationMs) {
      slowBodyMs = durationMs;
    },
    closed,
    pause,
    hangUp,
    sendsForm: /^multipart\/form-data/i.test(request.headers['content-type'] ?? ''),
    readJson: (maxBytes) => readJson(request, maxBytes),
    async readForm(onField) {
      const form = await readForm(request, onField);
      if (form === null && gone.signal.aborted) throw new ClientGone();
      return form ?? 'malformed';
    },
    async waitForever() {
      await closed;
      throw new ClientGone();
    },
    async reply({ status, headers, body, breakInMiddle = false }) {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
      start(status, { ...headers, 'content-length': bytes.length });
      if (breakInMiddle) {
        await write(bytes.subarray(0, Math.max(1, bytes.length >> 1)));
        hangUp();
        return;
      }
      const steps = slowBodyMs > 0 ? Math.min(20, bytes.length) : 1;
      for (let step = 0; step < steps; step++) {
        const [from, to] = [step, step + 1].map((edge) => Math.floor((bytes.length * edge) / steps));
        await write(bytes.subarray(from, to));
        if (slowBodyMs > 0) await pause(slowBodyMs / steps);
      }
      response.end();
    },
    startEvents() {
      start(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
      return {
        send: (name, data) => write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`),
        end: () => void response.end(),
      };
    },
  };
}

/** Returns true if a scheme and a key follow each other. Which key it is does not matter. */
function hasCredentials(authorization: string): boolean {
  const [scheme, key] = authorization.split(' ').filter((part) => part !== '');
  return scheme !== undefined && key !== undefined;
}

async function readJson(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ value: unknown } | 'malformed' | 'too-large'> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request) {
      const bytes: Buffer = chunk;
      sizeBytes += bytes.length;
      if (sizeBytes <= maxBytes) chunks.push(bytes);
    }
  } catch {
    throw new ClientGone();
  }
  if (sizeBytes > maxBytes) return 'too-large';
  if (sizeBytes === 0) return { value: {} };
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch {
    return 'malformed';
  }
}

/** Returns the headers that OpenAI puts on every response. The rate limits are invented. */
const standardHeaders = (requestId: string, processingMs: number): OutgoingHttpHeaders => ({
  'x-request-id': requestId,
  'openai-processing-ms': String(processingMs),
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '5000',
  'x-ratelimit-remaining-requests': '4999',
  'x-ratelimit-reset-requests': '12ms',
  'x-ratelimit-limit-tokens': '8000000',
  'x-ratelimit-remaining-tokens': '7999000',
  'x-ratelimit-reset-tokens': '7ms',
});
