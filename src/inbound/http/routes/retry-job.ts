import type { FastifyInstance } from 'fastify';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining } from '../draining.ts';
import { idempotencyKeyFrom, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { idParams, problems } from '../responses.ts';
import { newJobResponses, type SendAccepted, submissionHeaders } from '../send-accepted.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'retryJob'>;
  readonly addresses: Addresses;
  readonly sendAccepted: SendAccepted;
  readonly draining: AbortSignal;
}

/** `POST /images/{id}/retry` */
export function retryJobRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, addresses, sendAccepted, draining } = deps;
  app.route<{ Params: { id: string } }>({
    method: 'POST',
    url: '/images/:id/retry',
    config: { scope: 'images:write' },
    schema: {
      operationId: 'retryJob',
      summary: 'Retry a job',
      description:
        'Creates a job with the same request and `parent_id`. Only for a failed, canceled or expired job.',
      tags: ['images'],
      params: idParams,
      headers: submissionHeaders,
      response: {
        ...newJobResponses,
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
          'model_not_allowed',
          'preset_required',
          'destination_forbidden',
          'queue_full',
          'shutting_down',
        ),
      },
    },
    handler: async (request, reply) => {
      refuseWhileDraining(draining);
      const preferences = preferencesFrom(request.headers.prefer);
      const { job, replayed } = await jobs.retryJob(callerOf(request), request.params.id, {
        idempotencyKey: idempotencyKeyFrom(request.headers['idempotency-key']),
        ...jobTraceOf(request),
        origin: addresses.storedOriginOf(request),
      });
      return sendAccepted(request, reply, { job, replayed, preferences });
    },
  });
}
