import cors from '@fastify/cors';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { AppError, errorRow } from '../../domain/errors.ts';
import type { HttpContext } from './context.ts';
import { requestIdFrom, traceIdOf, traceparentFrom } from './headers.ts';
import { acceptJson } from './json-body.ts';
import { maxBodyBytes } from './max-body-size.ts';
import { useAuthentication } from './plugins/authenticate.ts';
import { useDocument } from './plugins/document.ts';
import { watchMethods } from './plugins/method-not-allowed.ts';
import { refuseUnknown } from './plugins/refuse-unknown.ts';
import { asAppError, sendProblem } from './problem.ts';
import { createRequestLogger } from './request-logger.ts';
import { routes } from './routes/index.ts';
import { probeRoutes } from './routes/probes.ts';
import { securityHeaders } from './security-headers.ts';
import { createStrictHttp } from './strict-http.ts';
import { useValidation } from './validation.ts';

export interface HttpOptions {
  readonly logger: FastifyBaseLogger;
  readonly version: string;
  readonly trustProxy: readonly string[] | undefined;
  readonly corsOrigins: readonly string[] | undefined;
}

const maxHeaderBytes = 16 * 1024;
/** How long a request may take to arrive; our own answers may take as long as they need. */
const requestTimeoutMs = 15_000;
const idleCheckMs = 100;
/** A connection on which nothing moves for so long is dead: longer than any wait, and than the pauses of a stream. */
const stalledMs = 120_000;
/** How long downloads may still take once the process ends. */
const lastResponsesMs = 5_000;

/** The HTTP server, built but not listening. */
export async function createHttpApp(context: HttpContext, options: HttpOptions): Promise<FastifyInstance> {
  const strictHttp = createStrictHttp(() => context.clock());
  const app = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: (request) => requestIdFrom(request.headers['x-request-id'], context.clock()),
    requestIdHeader: false,
    trustProxy: options.trustProxy ? [...options.trustProxy] : false,
    bodyLimit: maxBodyBytes(),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: stalledMs,
    keepAliveTimeout: 72_000,
    http: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestTimeoutMs,
      // How often Node looks for slow requests; by default only every 30 s.
      connectionsCheckingInterval: 1_000,
      // Refused by ourselves, with a body that says why.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: false },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: strictHttp.refuseConnection,
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply as never, asAppError(error)),
  });

  app.setChildLoggerFactory(createRequestLogger);
  acceptJson(app);
  useValidation(app);
  observe(app, context, options.logger);
  strictHttp.watch(app);
  letConnectionsGo(app);
  app.setErrorHandler((error, request, reply) => {
    const known = asAppError(error);
    const status = errorRow(known.code).status;
    // Fastify would hang up on a body that nobody wants, and its sender would never see why. Node reads the rest away, for as
    // long as a request may take to arrive.
    if (!context.draining.aborted) reply.removeHeader('connection');
    if (status >= 500) request.log.error({ err: known.cause ?? known, code: known.code }, 'request failed');
    return sendProblem(request, reply, known);
  });
  refuseUnknownAddresses(app);

  if (options.corsOrigins?.length) {
    await app.register(cors, {
      origin: [...options.corsOrigins],
      // Whatever is no preflight would get an answer that is no problem+json.
      strictPreflight: false,
      // Without a list only the methods of forms are allowed.
      methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
      exposedHeaders: [
        'x-request-id',
        'retry-after',
        'location',
        'etag',
        'idempotent-replayed',
        'preference-applied',
        'x-should-retry',
      ],
    });
  }
  const refuseOtherMethods = watchMethods(app);
  useAuthentication(app, context.authenticate);
  refuseUnknown(app);
  await useDocument(app, { version: options.version });
  // Every role has its probes; only the api role has callers.
  for (const route of context.publicApi ? routes : [probeRoutes]) route(app, context);
  refuseOtherMethods();
  return app;
}

/** Says 404 before the body is looked at, whatever it may be. */
function refuseUnknownAddresses(app: FastifyInstance): void {
  const refusal = () => new AppError('not_found', { detail: 'There is nothing at this address.' });
  app.addHook('onRequest', (request, _reply, done) => done(request.is404 ? refusal() : undefined));
  // For a file that the pages of the documentation have not: their address is there.
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, refusal()));
}

/** Gives every answer the headers that all have, and every request one log line and one observation. */
function observe(app: FastifyInstance, context: HttpContext, logger: FastifyBaseLogger): void {
  // All fields of the line are named below and none is secret; looking for secrets in it takes longer than writing it.
  const lines = logger.child({}, { redact: [] });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders).header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { statusCode } = reply;
    context.observeRequest(route, request.method, statusCode, reply.elapsedTime / 1000);
    lines.info(
      {
        request_id: request.id,
        trace_id: traceIdOf(traceparentFrom(request.headers.traceparent)),
        tenant: request.caller?.tenant,
        method: request.method,
        route,
        status: statusCode,
        duration_ms: Math.round(reply.elapsedTime),
      },
      'request',
    );
    done();
  });
}

/**
 * Ends connections that fall idle while the server closes. Fastify ends those that are idle when it begins; one whose
 * long poll or stream is answered after that would keep the process until its keep-alive time is over. A caller who does
 * not take what he asked for keeps it no longer than `lastResponsesMs`.
 */
function letConnectionsGo(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    if (!app.server.listening) return;
    const timer = setInterval(() => app.server.closeIdleConnections(), idleCheckMs);
    const last = setTimeout(() => app.server.closeAllConnections(), lastResponsesMs);
    app.server.once('close', () => {
      clearInterval(timer);
      clearTimeout(last);
    });
  });
}
