import type { FastifyInstance } from 'fastify';
import { type HttpContext, refuseWhileStopping, storedOrigin } from '../context.ts';
import { idempotencyKeyFrom, preferencesFrom, traceparentFrom } from '../headers.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { header, idParams, json, problems, requestHeader } from '../responses.ts';
import { acceptedHeaders, sendAccepted } from './submit-job.ts';

/** `POST /images/{id}/retry` */
export function retryJobRoute(app: FastifyInstance, context: HttpContext): void {
  app.route<{ Params: { id: string } }>({
    method: 'POST',
    url: '/images/:id/retry',
    config: { scope: 'images:write' },
    schema: {
      operationId: 'retryJob',
      summary: 'Order the same again',
      description: 'Makes a new job with `parent_id` from one that failed, was canceled or expired.',
      tags: ['images'],
      params: idParams,
      headers: {
        type: 'object',
        properties: { 'idempotency-key': requestHeader.idempotencyKey, prefer: requestHeader.prefer },
      },
      response: {
        200: json('The new job has ended while waiting', 'ImageJob', { headers: acceptedHeaders }),
        202: json('The new job', 'ImageJob', {
          headers: { ...acceptedHeaders, location: header.location, 'retry-after': header.pollAfter },
        }),
        ...problems(
          { body: true, params: true },
          'not_found',
          'erased',
          'not_retryable_job',
          'max_cost_exceeded',
          'invalid_idempotency_key',
          'idempotency_key_reused',
          'model_retired',
          'model_unknown',
          'destination_forbidden',
          'queue_full',
          'shutting_down',
        ),
      },
    },
    handler: async (request, reply) => {
      refuseWhileStopping(context);
      const preferences = preferencesFrom(request.headers.prefer);
      const { job, replayed } = await context.retryJob(callerOf(request), request.params.id, {
        idempotencyKey: idempotencyKeyFrom(request.headers['idempotency-key']),
        traceparent: traceparentFrom(request.headers.traceparent),
        origin: storedOrigin(context, request),
      });
      return sendAccepted(context, request, reply, { job, replayed, preferences });
    },
  });
}
