import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, type ErrorCode, errorRow } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports.ts';
import { requestIdFrom } from './headers.ts';
import { problemHeaders, problemOf } from './problem.ts';

const hostPattern = /^[A-Za-z0-9._~%:[\]-]{1,255}$/;

/** Maximum number of pipelined requests without a response. Each holds its finished response until the earlier ones are sent. */
const maxPipelined = 100;

/** Time for a refused client to read the response. Closing a socket with unread bytes would reset the connection. */
const lingerMs = 1_000;

const byNodeCode: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

const endsEarly = 'The body ends early. Send the whole body.';

interface Connection {
  /** The last response. */
  response: ServerResponse;
  /** Responses that are not sent yet. */
  readonly pending: Set<ServerResponse>;
}

/** Creates the checks below HTTP. They respond with a problem where Node would send an empty body or none. */
export function createStrictHttp(clock: Clock, publicUrl: string | undefined) {
  const connections = new WeakMap<Duplex, Connection>();

  /** Registers a request. @returns the number of requests of its connection without a response. */
  function register(socket: Duplex, response: ServerResponse): number {
    const connection = connections.get(socket) ?? open(socket, response);
    connection.response = response;
    return connection.pending.add(response).size;
  }

  function open(socket: Duplex, response: ServerResponse): Connection {
    const connection: Connection = { response, pending: new Set() };
    connections.set(socket, connection);
    socket.once('close', () => closeQueued(connection));
    return connection;
  }

  /** Responds to bytes that are not HTTP, too slow or too large, before any route is known. */
  function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const response = connections.get(socket)?.response;
    // The response to this request was sent before its body arrived. A second one would belong to the next request.
    if (response?.headersSent && !response.req.complete) return void socket.destroy();
    const isBusy = response !== undefined && !response.writableFinished;
    // The socket is destroyed, because the client would read the refusal as an earlier response or as a part of it.
    if (isBusy && (response.headersSent || response.req.complete)) return void socket.destroy();
    const code = byNodeCode[error.code ?? ''] ?? 'invalid_request';
    const isCut = isBusy && error.code === 'HPE_INVALID_EOF_STATE';
    const refusal = new AppError(code, isCut ? { detail: endsEarly } : {});
    // The log shows this status, although Node sends no response of the request.
    if (isBusy) response.statusCode = errorRow(code).status;
    refuse(socket, refusal, { request: isBusy ? response.req : undefined });
  }

  /** Responds with 408 to a body that arrives too slowly. */
  function refuseSlow(socket: Socket): void {
    refuseConnection(Object.assign(new Error('slow body'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  }

  /** @param of.request the request whose body is refused. Absent if no request is known. */
  function refuse(
    socket: Duplex,
    refusal: AppError,
    of: { readonly request?: IncomingMessage | undefined; readonly headers?: Record<string, string> } = {},
  ): void {
    const requestId = requestIdFrom(of.request?.headers['x-request-id'], clock());
    const instance = of.request?.url?.split('?', 1)[0] ?? '/';
    const body = JSON.stringify(problemOf(refusal, { instance, requestId, publicUrl }));
    const { status, title } = errorRow(refusal.code);
    const headers = {
      ...problemHeaders(refusal, requestId),
      ...of.headers,
      connection: 'close',
      'content-length': Buffer.byteLength(body),
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
    // The socket is destroyed after a delay, because a client that continues to send would hold it open.
    const lingering = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(lingering));
  }

  /**
   * Refuses requests without exactly one valid Host (RFC 9112, section 3.2), with an uncertain end, and proxy requests. Unknown
   * expectations are ignored, as RFC 9110, section 10.1.1, allows.
   */
  function watch(app: FastifyInstance): void {
    app.server.on('checkExpectation', (request, response) => app.routing(request, response));
    app.server.on('connect', (_request, socket) => {
      refuse(socket, new AppError('method_not_allowed', { detail: 'This service is not a proxy.' }), {
        headers: { allow: 'GET' },
      });
    });
    app.addHook('onRequest', (request, reply, done) => {
      const { raw } = request;
      // The socket is destroyed, because a refusal would have to wait for the earlier responses.
      if (register(raw.socket, reply.raw) > maxPipelined) return void raw.socket.destroy();
      if (!hasSaneFraming(raw)) {
        // The next bytes may belong to the body in the eyes of a proxy.
        reply.raw.shouldKeepAlive = false;
        return done(
          new AppError('invalid_request', {
            detail: 'Send Transfer-Encoding: chunked alone, with HTTP/1.1.',
          }),
        );
      }
      if (hasSaneHost(raw) && isSaneOrigin(request)) done();
      else
        done(
          new AppError('invalid_request', { detail: 'Send one Host header with the name of this service.' }),
        );
    });
    app.addHook('onResponse', (request, reply, done) => {
      connections.get(request.raw.socket)?.pending.delete(reply.raw);
      done();
    });
  }

  return { refuseConnection, refuseSlow, watch };
}

/**
 * Closes the responses of a closed connection that waited behind an earlier response. Node closes only the response that owns
 * the socket, and the others would hold their files, their streams and their waits for good.
 */
function closeQueued({ pending }: Connection): void {
  for (const response of pending) {
    if (response.socket !== null || response.closed) continue;
    response.destroy();
    response.emit('close');
  }
}

/**
 * Returns whether host and protocol are valid. They may come from a trusted proxy and become part of links. An HTTP/1.0
 * request may have no host.
 */
const isSaneOrigin = ({ host, protocol }: FastifyRequest) =>
  (!host || hostPattern.test(host)) && (protocol === 'http' || protocol === 'https');

/**
 * Returns whether a proxy finds the same end of the body. HTTP/1.0 has no transfer coding, so that another server may take the
 * body for the next request (RFC 9112, section 6.1).
 */
function hasSaneFraming({ httpVersion, headers }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  return coding === undefined || (httpVersion !== '1.0' && coding.toLowerCase() === 'chunked');
}

function hasSaneHost({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  if (httpVersion === '1.0' && headers.host === undefined) return true;
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts === 1 && hostPattern.test(headers.host ?? '');
}
