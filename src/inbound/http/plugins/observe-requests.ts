import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { traceIdOf, traceparentFrom } from '../headers.ts';
import { useJobTrace } from '../job-trace.ts';
import { securityHeaders } from '../security-headers.ts';

/** Counts finished requests. */
export interface Observe {
  readonly observeRequest: (request: {
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly seconds: number;
  }) => void;
}

/** Status of a request whose caller disconnected before the response began. Nginx uses the same. */
const abortedStatus = 499;

/** Adds the common headers to every response, and writes one log line and one observation for every request. */
export function observeRequests(app: FastifyInstance, metrics: Observe, logger: FastifyBaseLogger): void {
  useJobTrace(app);
  // The line has only the fields below and none is secret. Searching it for secrets takes longer than writing it.
  const lines = logger.child({}, { redact: [] });
  const observe = (request: FastifyRequest, reply: FastifyReply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    const { elapsedTime, raw } = reply;
    const status = raw.headersSent || raw.statusCode >= 400 ? raw.statusCode : abortedStatus;
    metrics.observeRequest({ route, method, status, seconds: elapsedTime / 1000 });
    lines.info(
      {
        request_id: request.id,
        trace_id: traceIdOf(request.traceparent ?? traceparentFrom(request.headers.traceparent)),
        job_id: request.jobId ?? undefined,
        tenant: request.caller?.tenant,
        method,
        route,
        status,
        aborted: raw.writableFinished ? undefined : true,
        duration_ms: Math.round(elapsedTime),
      },
      'request',
    );
  };
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders).header('x-request-id', request.id);
    // Fastify runs no hook after a response whose caller disconnected before its end, which includes most streams.
    reply.raw.once('close', () => observe(request, reply));
    done();
  });
}
