import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** One request that the server received. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Resolves when either side has closed the socket of this request. */
  readonly closed: Promise<void>;
}

export interface ScriptedServer {
  /** Ends with `/v1`, like an OpenAI-compatible API. */
  readonly url: string;
  /** Requests with complete bodies, in order. */
  readonly seen: readonly SeenRequest[];
  /** Returns the number of accepted sockets. */
  sockets(): number;
  /** Resolves when so many requests have arrived. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Writes a response. Called once per request after its body has arrived. */
export type Script = (response: ServerResponse, request: SeenRequest, index: number) => void;

/** Starts a local HTTP server that responds with a script. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const waiting: (() => void)[] = [];
  let sockets = 0;

  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.on('end', () => {
      const { promise: closed, resolve } = withResolver();
      request.socket.once('close', resolve);
      const body = Buffer.concat(parts).toString();
      const entry: SeenRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        closed,
      };
      seen.push(entry);
      for (const notify of waiting.splice(0)) notify();
      script(response, entry, seen.length - 1);
    });
  });
  server.on('connection', (socket) => {
    sockets += 1;
    // Every request on the socket listens for its end.
    socket.setMaxListeners(0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/v1`,
    seen,
    sockets: () => sockets,
    async arrived(count) {
      while (seen.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Starts a scripted server that ends with the test. */
export async function serve(script: Script): Promise<ScriptedServer> {
  const server = await startScriptedServer(script);
  onTestFinished(server.close);
  return server;
}

/** Creates a script with one response for every request. Values other than text are sent as JSON. */
export const respondWith =
  (status: number, body: unknown, headers: Record<string, string> = {}): Script =>
  (response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body));

/** Writes without end, as fast as the client reads. */
export function flood(response: ServerResponse): void {
  const block = Buffer.alloc(64 * 1024, 0x20);
  const more = () => {
    if (response.destroyed || response.socket?.destroyed) return;
    response.write(block, (error) => {
      if (!error) setImmediate(more);
    });
  };
  more();
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
