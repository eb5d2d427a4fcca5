import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostInUrl } from '../../lib/host-in-url.ts';
import { type CallLog, createCallLog, type StudioCall } from './calls.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { createFaultLog } from './faults.ts';
import { createProduction } from './production.ts';
import { ClientGone, refusalBody, StudioRefusal } from './refusals.ts';
import { createResponseShelf } from './response-shelf.ts';
import { createRouter } from './routes.ts';

export type { StudioCall } from './calls.ts';

export type StudioOptions = {
  /** 127.0.0.1 unless told: the studio is for this machine only. */
  host?: string;
  /** 0, the default, takes any free port. */
  port?: number;
  /** How much later every answer comes; 0 unless told. */
  latencyMs?: number;
  /** A file that gets one JSON line per paid image call, appended before the answer is sent. */
  ledgerFile?: string;
  /** `drawn` (the default) composes real images; `quick` sends flat ones from a cache, for benches and tests. */
  image?: 'drawn' | 'quick';
  /** Quick images of about this many bytes (png). Implies `quick`. */
  imageBytes?: number;
  /** Called when a call arrived, before its body was read. */
  onArrival?: (call: StudioCall) => void;
  /** Called once per call, when its outcome is final. */
  onCall?: (call: StudioCall) => void;
};

export type Studio = {
  /** What the `openai` client takes as `baseURL`: http://127.0.0.1:PORT/v1 */
  readonly baseUrl: string;
  /** The last 10,000 calls, newest last. Entries of calls under way still change. */
  readonly calls: ReadonlyArray<StudioCall>;
  /** How many images were certainly paid for since the start. */
  chargedImages(): number;
  /** Cuts every connection and resolves when no call is left. May be called twice. */
  stop(): Promise<void>;
};

const KEEP_ALIVE_MS = 65_000;

/** Starts the offline provider: an HTTP server that speaks OpenAI's language of images. Rejects when the port is taken. */
export async function startStudio(options: StudioOptions = {}): Promise<Studio> {
  const { host = '127.0.0.1', port = 0, latencyMs = 0, ledgerFile, onArrival, onCall } = options;
  const book = createCallLog({ ledgerFile, onArrival, onCall });
  const route = createRouter({
    book,
    faults: createFaultLog(),
    produce: createProduction(options),
    shelf: createResponseShelf(Date.now),
    clock: Date.now,
    latencyMs,
  });
  const inFlight = new Set<Promise<void>>();
  const cut = new AbortController();
  setMaxListeners(0, cut.signal);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const done = serve({ book, route, stopped: cut.signal }, request, response).finally(() =>
      inFlight.delete(done),
    );
    inFlight.add(done);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the studio has no TCP address');
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    cut.abort();
    await Promise.all(inFlight);
  };
  return {
    baseUrl: `http://${hostInUrl(host)}:${address.port}/v1`,
    calls: book.calls,
    chargedImages: book.chargedImages,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Serves one request from arrival to the last byte. Never rejects. */
async function serve(
  {
    book,
    route,
    stopped,
  }: { book: CallLog; route: (exchange: Exchange) => Promise<void>; stopped: AbortSignal },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : null;
  };
  const call = book.open({
    method: request.method ?? 'GET',
    path: (request.url ?? '/').split('?')[0] ?? '/',
    requestId: `req_${randomUUID().replaceAll('-', '')}`,
    headers: {
      retryCount: header('x-stainless-retry-count'),
      clientRequestId: header('x-client-request-id'),
      idempotencyKey: header('idempotency-key'),
      userAgent: header('user-agent'),
      fault: header('x-studio-fault'),
    },
  });
  const exchange = createExchange(request, response, header('authorization'), call, stopped);
  try {
    await route(exchange);
  } catch (error) {
    await refuse(exchange, error);
  }
  await exchange.closed;
  book.close(call);
}

async function refuse(exchange: Exchange, error: unknown): Promise<void> {
  if (error instanceof ClientGone) return;
  const refusal =
    error instanceof StudioRefusal
      ? error
      : new StudioRefusal(
          500,
          `The studio failed: ${error instanceof Error ? error.message : String(error)}`,
        );
  try {
    if (exchange.call.status !== null) return exchange.hangUp();
    const headers = { 'content-type': 'application/json', ...refusal.headers };
    await exchange.reply(refusal.status, headers, refusalBody(refusal));
  } catch {
    // The client left before it could be told.
  }
}
