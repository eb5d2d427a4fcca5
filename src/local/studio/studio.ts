import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { hostInUrl } from '../../lib/host-in-url.ts';
import { type CallLog, createCallLog, type StudioCall } from './call-log.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { createFaultLog } from './faults.ts';
import type { AutoQuality } from './generation-request.ts';
import { createProduction } from './production.ts';
import { ClientGone, refusalBody, StudioRefusal } from './refusals.ts';
import { createResponseStore } from './response-store.ts';
import { createRouter } from './routes.ts';

export type { StudioCall } from './call-log.ts';

export type StudioOptions = {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Delay of every response in milliseconds. Default 0. */
  latencyMs?: number;
  /** File that receives one JSON line per paid image call, appended before the response is sent. */
  ledgerFile?: string;
  /** `drawn` (default) composes real images. `quick` sends flat ones from a cache, for benchmarks and tests. */
  image?: 'drawn' | 'quick';
  /** Approximate size of quick images in bytes (png). Implies `quick`. */
  imageBytes?: number;
  /** Quality of generations that leave it to the model. Default: `medium`. */
  autoQuality?: AutoQuality;
  /** Called when a call arrives, before its body is read. */
  onArrival?: (call: StudioCall) => void;
  /** Called once per call, when its record is final. */
  onCall?: (call: StudioCall) => void;
};

export type Studio = {
  /** The `baseURL` for an OpenAI client: http://127.0.0.1:PORT/v1 */
  readonly baseUrl: string;
  /** The last calls, newest last: at most 10,000, and fewer if their texts are long. Entries of running calls still change. */
  readonly calls: ReadonlyArray<StudioCall>;
  /** Returns the number of images that were certainly paid for since the start. */
  chargedImages(): number;
  /** Closes every connection. Resolves when no call is running. Idempotent. */
  stop(): Promise<void>;
};

const KEEP_ALIVE_MS = 65_000;

/** Starts the offline provider: an HTTP server with OpenAI's image API. Rejects if the port is in use. */
export async function startStudio(options: StudioOptions = {}): Promise<Studio> {
  const { host = '127.0.0.1', port = 0, latencyMs = 0, ledgerFile, onArrival, onCall } = options;
  const callLog = createCallLog({ ledgerFile, onArrival, onCall });
  const route = createRouter({
    callLog,
    faults: createFaultLog(),
    produce: createProduction(options),
    responses: createResponseStore(Date.now),
    clock: Date.now,
    latencyMs,
    autoQuality: options.autoQuality,
  });
  const inFlight = new Set<Promise<void>>();
  const cut = new AbortController();
  setMaxListeners(0, cut.signal);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const done = serve({ callLog, route, stopped: cut.signal }, request, response).finally(() =>
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
    calls: callLog.calls,
    chargedImages: callLog.chargedImages,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Serves one request from arrival to the last byte. Never rejects. */
async function serve(
  {
    callLog,
    route,
    stopped,
  }: { callLog: CallLog; route: (exchange: Exchange) => Promise<void>; stopped: AbortSignal },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : null;
  };
  const call = callLog.open({
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
  const exchange = createExchange({ request, response }, call, stopped);
  try {
    await route(exchange);
  } catch (error) {
    await refuse(exchange, error);
  }
  await exchange.closed;
  callLog.close(call);
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
    await exchange.reply({ status: refusal.status, headers, body: refusalBody(refusal) });
  } catch {
    // The client disconnected before the refusal was sent.
  }
}
