import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { errorRow } from '../../domain/errors.ts';
import { maxInputBytes } from '../../domain/input-image.ts';
import type { Staging } from '../../domain/ports.ts';
import { createTurns } from '../../lib/turns.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import { type Addresses, createAddresses } from './addresses.ts';
import { type ConsoleDeps, useConsole } from './console/index.ts';
import { useDocsSite } from './docs/index.ts';
import { createSendEvents } from './event-stream.ts';
import { acceptFiles } from './file-bodies.ts';
import { requestIdFrom } from './headers.ts';
import { acceptJson } from './json-body.ts';
import { maxBodyBytes, maxDataBodyBytes } from './max-body-size.ts';
import { createLifecycleHeaders } from './model-lifecycle.ts';
import { confirmByNextRequest } from './openai-v1/earlier-tries.ts';
import { createWritePieces } from './openai-v1/write-pieces.ts';
import { type Authenticate, useAuthentication } from './plugins/authenticate.ts';
import { boundBodies } from './plugins/bound-bodies.ts';
import { closeHeadStreams } from './plugins/close-head-streams.ts';
import { allowOrigins } from './plugins/cors.ts';
import { useDocument } from './plugins/document.ts';
import { type Observe, observeRequests } from './plugins/observe-requests.ts';
import { refuseUnknown } from './plugins/refuse-unknown.ts';
import { refuseUnknownAddresses, routerOptions } from './plugins/refuse-unknown-addresses.ts';
import { createPresentPreviewTo, createPresentTo } from './present-to.ts';
import { asAppError, sendProblem } from './problem.ts';
import { createRequestLogger } from './request-logger.ts';
import { rewritePath } from './rewrite-path.ts';
import { type RouteDeps, routes } from './routes/index.ts';
import { probeRoutes } from './routes/probes.ts';
import { createSendAccepted } from './send-accepted.ts';
import { createStrictHttp } from './strict-http.ts';
import { schemaBucket, useValidation } from './validation.ts';
import { createWaitForTerminal } from './wait-for-terminal.ts';
import { watchBodies } from './watch-bodies.ts';

/** Dependencies of the server: those that the routes declare, except those that the server builds. */
export interface HttpDeps
  extends Omit<
    RouteDeps,
    | 'addresses'
    | 'presentTo'
    | 'waitForTerminal'
    | 'sendAccepted'
    | 'sendEvents'
    | 'lifecycleHeadersOf'
    | 'writePieces'
  > {
  readonly authenticate: Authenticate;
  readonly console: ConsoleDeps;
  readonly staging: Pick<Staging, 'write' | 'remove'>;
  readonly jobs: RouteDeps['jobs'] & Pick<Jobs, 'presentJob' | 'presentPreview'>;
  readonly metrics: RouteDeps['metrics'] & Observe;
}

export interface HttpOptions {
  readonly logger: FastifyBaseLogger;
  readonly version: string;
  readonly publicUrl: string | undefined;
  readonly trustProxy: readonly string[] | undefined;
  readonly corsOrigins: readonly string[] | undefined;
  /** Whether this process serves callers. Every process serves the probes. */
  readonly servesCallers: boolean;
}

const maxHeaderBytes = 16 * 1024;
/** Maximum time in which the headers, and then a body without files, must arrive. Responses have no such limit. */
const requestTimeoutMs = 15_000;
const bodyLimits = {
  bodyTimeoutMs: requestTimeoutMs,
  minUpload: { bytesPerSecond: 10_000, overMs: 20_000 },
  uploadTimeoutMs: 30 * 60_000,
  // All files of an edit, and its fields.
  maxBytes: 18 * maxInputBytes + maxDataBodyBytes,
};
const idleCheckMs = 100;
/** Timeout of a connection without traffic. It is longer than long polls and than the pauses of a stream. */
const stalledMs = 120_000;
/** Minimum time between the first sign of life of a waiting OpenAI client and the timeout of its connection. */
const signOfLifeMarginMs = 30_000;
/** Maximum time of downloads after the process began to stop. */
const lastResponsesMs = 5_000;

/** Pieces of 64 KiB that are written before the event loop serves other callers: about a millisecond. */
const writesPerIteration = 4;

/** Builds the HTTP server. It does not listen yet. */
export async function createHttpApp(deps: HttpDeps, options: HttpOptions): Promise<FastifyInstance> {
  const { clock, draining } = deps;
  const strictHttp = createStrictHttp(() => clock(), options.publicUrl);
  const app = Fastify({
    ...serverOptions(options, deps.openAi),
    rewriteUrl: (request) => rewritePath(request.url ?? '/'),
    genReqId: (request) => requestIdFrom(request.headers['x-request-id'], clock()),
    clientErrorHandler: strictHttp.refuseConnection,
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply as never, asAppError(error)),
  });
  const addresses = createAddresses(options.publicUrl, options.corsOrigins);
  app.decorate('publicAddresses', addresses);
  app.setChildLoggerFactory(createRequestLogger);
  acceptJson(app);
  acceptFiles(app, deps.staging);
  useValidation(app);
  observeRequests(app, deps.metrics, options.logger);
  strictHttp.watch(app);
  watchBodies(app, bodyLimits, strictHttp.refuseSlow);
  closeIdleConnections(app);
  reportErrors(app, draining);
  await allowOrigins(app, options.corsOrigins);
  confirmByNextRequest(app);
  refuseUnknownAddresses(app);
  useAuthentication(app, deps);
  boundBodies(app);
  refuseUnknown(app);
  closeHeadStreams(app);
  await useDocument(app, { version: options.version });
  useDocsSite(app);
  const routeDeps = routeDepsOf(deps, addresses);
  if (options.servesCallers) useConsole(app, deps.console);
  for (const route of options.servesCallers ? routes : [probeRoutes]) route(app, routeDeps);
  return app;
}

function serverOptions({ logger, trustProxy }: HttpOptions, openAi: HttpDeps['openAi'] | undefined) {
  const firstSignMs = (openAi?.keepAliveSeconds ?? 0) * 1000;
  return {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    requestIdHeader: false as const,
    trustProxy: trustProxy ? [...trustProxy] : false,
    bodyLimit: maxBodyBytes,
    // `watchBodies` limits bodies, because an upload may take longer.
    requestTimeout: 0,
    connectionTimeout: Math.max(stalledMs, firstSignMs + signOfLifeMarginMs),
    keepAliveTimeout: 72_000,
    http: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: requestTimeoutMs,
      // Node looks for slow requests only every 30 s by default.
      connectionsCheckingInterval: 1_000,
      // The strict checks refuse a missing Host with a problem body, which Node would not send.
      requireHostHeader: false,
    },
    routerOptions,
    schemaController: { bucket: () => schemaBucket },
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false,
  };
}

/** Builds the shared dependencies of the routes, and returns all dependencies. */
function routeDepsOf(deps: HttpDeps, addresses: Addresses): RouteDeps {
  const { jobs, longPollSlots, draining, linkSeconds } = deps;
  const presentTo = createPresentTo({ presentJob: jobs.presentJob, addresses, linkSeconds });
  const presentPreviewTo = createPresentPreviewTo({
    presentPreview: jobs.presentPreview,
    addresses,
    linkSeconds,
  });
  const waitForTerminal = createWaitForTerminal({ getJob: jobs.getJob, longPollSlots, draining });
  const sendEvents = createSendEvents({ presentTo, presentPreviewTo, longPollSlots, draining });
  const lifecycleHeadersOf = createLifecycleHeaders(deps);
  const sendAccepted = createSendAccepted({ presentTo, waitForTerminal, lifecycleHeadersOf });
  return {
    jobs,
    inputs: deps.inputs,
    access: deps.access,
    webhooks: deps.webhooks,
    usage: deps.usage,
    checkReadiness: deps.checkReadiness,
    maintenance: deps.maintenance,
    limitRequests: deps.limitRequests,
    catalogue: deps.catalogue,
    presets: deps.presets,
    metrics: deps.metrics,
    fileLinks: deps.fileLinks,
    longPollSlots,
    sharedImages: deps.sharedImages,
    writePieces: createWritePieces(createTurns(writesPerIteration)),
    sharesWebhookSecret: deps.sharesWebhookSecret,
    linkSeconds,
    draining,
    gracefulWaits: deps.gracefulWaits,
    openAi: deps.openAi,
    mcp: deps.mcp,
    defaultModel: deps.defaultModel,
    clock: deps.clock,
    addresses,
    presentTo,
    waitForTerminal,
    sendAccepted,
    sendEvents,
    lifecycleHeadersOf,
  };
}

/** Responds to every error with a problem, and logs errors that are faults of the service. */
function reportErrors(app: FastifyInstance, draining: AbortSignal): void {
  // Fastify closes the connection after an unread body, and its sender would miss the response. Node reads the rest within
  // the request timeout. A hook, because groups of routes have error handlers of their own.
  app.addHook('onError', async (_request, reply) => {
    if (!draining.aborted) reply.removeHeader('connection');
  });
  app.setErrorHandler((error, request, reply) => {
    const known = asAppError(error, request.routeOptions.bodyLimit);
    const { status } = errorRow(known.code);
    if (status >= 500) request.log.error({ err: known.cause ?? known, code: known.code }, 'request failed');
    return sendProblem(request, reply, known);
  });
}

/**
 * Closes connections that become idle while the server closes. Fastify closes only those that are idle at the beginning.
 * Connections of long polls and streams that end later would stay open until their keep-alive timeout. A caller that does
 * not read its response delays the end by at most `lastResponsesMs`.
 */
function closeIdleConnections(app: FastifyInstance): void {
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
