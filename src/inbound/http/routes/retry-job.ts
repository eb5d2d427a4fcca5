import type { FastifyInstance } from 'fastify';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining } from '../draining.ts';
import { idempotencyKeyFrom, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { idParams, problems } from '../responses.ts';
import { newJobResponses, type SendAccepted, submissionHeaders } from '../send-accepted.ts';
import { inputCodes, submissionCodes } from '../submission-codes.ts';

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
          'not_retryable_job',
          ...submissionCodes,
          ...inputCodes,
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
