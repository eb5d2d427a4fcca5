import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
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

/** Adds the common headers to every response, and writes one log line and one observation for every request. */
export function observeRequests(app: FastifyInstance, metrics: Observe, logger: FastifyBaseLogger): void {
  useJobTrace(app);
  // The line has only the fields below and none is secret. Searching it for secrets takes longer than writing it.
  const lines = logger.child({}, { redact: [] });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders).header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    const { statusCode: status, elapsedTime } = reply;
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
        duration_ms: Math.round(elapsedTime),
      },
      'request',
    );
    done();
  });
}
