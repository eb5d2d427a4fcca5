import type { FastifyInstance, FastifyRequest } from 'fastify';
import { randomHex } from '../../lib/ids.ts';
import { traceparentFrom } from './headers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of the job that the request created or replayed, for its log line. */
    jobId: string | null;
    /** Trace context of the job, created if the caller sent none. */
    traceparent: string | null;
  }
}

/** Adds the fields that join the line of a request with the lines of its job. */
export function useJobTrace(app: FastifyInstance): void {
  app.decorateRequest('jobId', null);
  app.decorateRequest('traceparent', null);
}

/** Returns the ids that a job records, so that its log lines can be joined with the line of its request. */
export function jobTraceOf(request: FastifyRequest): { requestId: string; traceparent: string } {
  request.traceparent ??= traceparentFrom(request.headers.traceparent) ?? createTraceparent();
  return { requestId: request.id, traceparent: request.traceparent };
}

/** Creates a W3C trace context. Its flags are 00, because this service exports no spans. */
function createTraceparent(): string {
  const hex = randomHex(24);
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-00`;
}
