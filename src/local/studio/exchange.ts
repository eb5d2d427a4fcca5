import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { OpenCall } from './calls.ts';
import { ClientGone } from './refusals.ts';

const BODY_LIMIT_BYTES = 1024 * 1024;

/** How a body is sent when a fault interferes. */
type Delivery = { slowBodyMs?: number; breakInMiddle?: boolean };

type EventStream = { send(name: string, data: unknown): Promise<void>; end(): void };

/** One request and its answer. Every wait ends with ClientGone when the client leaves or the studio stops. */
export type Exchange = {
  readonly call: OpenCall;
  /** True when the request names any key. */
  readonly hasCredentials: boolean;
  /** The body as JSON, `{}` when there is none; `malformed` and `too-large` are answers of their own. Bodies above 1 MiB are read and dropped. */
  readJson(): Promise<{ value: unknown } | 'malformed' | 'too-large'>;
  pause(durationMs: number): Promise<void>;
  /** Waits until the client leaves. */
  waitForever(): Promise<never>;
  /** Sends a whole answer. */
  reply(
    status: number,
    headers: OutgoingHttpHeaders,
    body: Buffer | string,
    delivery?: Delivery,
  ): Promise<void>;
  /** Starts a `text/event-stream`. */
  startEvents(): EventStream;
  /** Closes the connection on purpose, without a further byte. */
  hangUp(): void;
  /** Resolves when nothing more can be sent. */
  readonly closed: Promise<void>;
};

/**
 * Wraps one request of the HTTP server. Records the status sent, and whether the client left early.
 *
 * @param stopped aborts when no connection is left: an answer that never got its turn on one hears nothing else.
 */
export function createExchange(
  request: IncomingMessage,
  response: ServerResponse,
  authorization: string | null,
  call: OpenCall,
  stopped: AbortSignal,
): Exchange {
  const gone = new AbortController();
  let hungUp = false;
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
      const leave = () => reject(new ClientGone());
      if (gone.signal.aborted) return leave();
      gone.signal.addEventListener('abort', leave, { once: true });
      response.write(chunk, (error) => {
        gone.signal.removeEventListener('abort', leave);
        if (error) leave();
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
    hasCredentials: /\S+\s+\S/.test(authorization ?? ''),
    closed,
    pause,
    hangUp,
    readJson: () => readJson(request),
    async waitForever() {
      await closed;
      throw new ClientGone();
    },
    async reply(status, headers, body, { slowBodyMs = 0, breakInMiddle = false } = {}) {
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

async function readJson(request: IncomingMessage): Promise<{ value: unknown } | 'malformed' | 'too-large'> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request) {
      const bytes: Buffer = chunk;
      sizeBytes += bytes.length;
      if (sizeBytes <= BODY_LIMIT_BYTES) chunks.push(bytes);
    }
  } catch {
    throw new ClientGone();
  }
  if (sizeBytes > BODY_LIMIT_BYTES) return 'too-large';
  if (sizeBytes === 0) return { value: {} };
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch {
    return 'malformed';
  }
}

/** The headers OpenAI puts on every answer; the limits are those of an imaginary generous account. */
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
