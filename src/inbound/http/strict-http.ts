import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, type ErrorCode, errorRow } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports.ts';
import { requestIdFrom } from './headers.ts';
import { problemHeaders, problemOf } from './problem.ts';

const hostPattern = /^[A-Za-z0-9._~%:[\]-]{1,255}$/;

/** Most requests that may be sent ahead on one connection. Each holds what its answer is made of until its turn comes. */
const maxEarlyUploads = 100;

/** How long a refused client may take to read the refusal: an end with unread bytes would reset the connection. */
const lingerMs = 1_000;

const byNodeCode: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers, with a body that says why, what Node would answer by itself without one, or not at all. */
export function createStrictHttp(clock: Clock) {
  /** The last answer of a connection. */
  const responses = new WeakMap<Duplex, ServerResponse>();
  /** Requests of a connection that have no answer yet. */
  const unanswered = new WeakMap<Duplex, number>();

  function count(socket: Duplex, more: 1 | -1): number {
    const now = (unanswered.get(socket) ?? 0) + more;
    unanswered.set(socket, now);
    return now;
  }

  /** Answers what was not even HTTP, or came too slowly or too large, before any route is known. */
  function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const response = responses.get(socket);
    const isBusy = response !== undefined && !response.writableFinished;
    // The refusal would be taken for the answer to an earlier request, or land in the middle of it.
    if (isBusy && (response.headersSent || response.req.complete)) return void socket.destroy();
    refuse(socket, new AppError(byNodeCode[error.code ?? ''] ?? 'invalid_request'));
  }

  function refuse(socket: Duplex, refusal: AppError, extraHeaders: Record<string, string> = {}): void {
    const requestId = requestIdFrom(undefined, clock());
    const body = JSON.stringify(problemOf(refusal, '/', requestId));
    const { status, title } = errorRow(refusal.code);
    const headers = {
      ...problemHeaders(refusal, requestId),
      ...extraHeaders,
      connection: 'close',
      'content-length': Buffer.byteLength(body),
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
    // Whoever does not hang up then, and goes on sending, would keep the connection for ever.
    const lingering = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(lingering));
  }

  /**
   * A request has exactly one sane Host (RFC 9112, section 3.2); an expectation that is not known is ignored, as RFC
   * 9110, section 10.1.1, allows; and this is no proxy.
   */
  function watch(app: FastifyInstance): void {
    app.server.on('checkExpectation', (request, response) => app.routing(request, response));
    app.server.on('connect', (_request, socket) => {
      refuse(socket, new AppError('method_not_allowed', { detail: 'This is no proxy.' }), { allow: 'GET' });
    });
    app.addHook('onRequest', (request, reply, done) => {
      const { raw } = request;
      responses.set(raw.socket, reply.raw);
      // A refusal would have to wait for its turn as well.
      if (count(raw.socket, 1) > maxEarlyUploads) return void raw.socket.destroy();
      if (hasSaneHost(raw) && isSaneOrigin(request)) done();
      else
        done(
          new AppError('invalid_request', { detail: 'Send one Host header with the name of this service.' }),
        );
    });
    app.addHook('onResponse', ({ raw }, _reply, done) => {
      count(raw.socket, -1);
      done();
    });
  }

  return { refuseConnection, watch };
}

/** What a trusted proxy says becomes part of links. A request of HTTP/1.0 may have no host. */
const isSaneOrigin = ({ host, protocol }: FastifyRequest) =>
  (!host || hostPattern.test(host)) && (protocol === 'http' || protocol === 'https');

function hasSaneHost({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  if (httpVersion === '1.0' && headers.host === undefined) return true;
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts === 1 && hostPattern.test(headers.host ?? '');
}
