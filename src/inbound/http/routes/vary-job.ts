import type { FastifyInstance } from 'fastify';
import type { VariationRequest } from '../../../domain/image-request.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining } from '../draining.ts';
import { idempotencyKeyFrom, preferencesFrom } from '../headers.ts';
import { jobTraceOf } from '../job-trace.ts';
import { ref } from '../json-schema.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { idParams, problems } from '../responses.ts';
import { newJobResponses, type SendAccepted, submissionHeaders } from '../send-accepted.ts';
import { inputCodes, submissionCodes } from '../submission-codes.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'varyJob'>;
  readonly addresses: Addresses;
  readonly sendAccepted: SendAccepted;
  readonly draining: AbortSignal;
}

const schema = {
  operationId: 'varyJob',
  summary: 'Create a variation',
  description:
    'Creates a job with the same request, `parent_id` and one image of this job as its input. Variations are edits. Webhook, metadata, enhancement and retention are those of this job, its cost limit is not.',
  tags: ['images'],
  params: idParams,
  headers: submissionHeaders,
  body: ref('VariationRequest'),
  response: {
    ...newJobResponses,
    ...problems({ body: true, params: true }, 'not_found', ...submissionCodes, ...inputCodes),
  },
};

/** `POST /images/{id}/variations` */
export function varyJobRoute(app: FastifyInstance, deps: Deps): void {
  const { jobs, addresses, sendAccepted, draining } = deps;
  app.route<{ Params: { id: string }; Body: VariationRequest }>({
    method: 'POST',
    url: '/images/:id/variations',
    config: { scope: 'images:write', hasOptionalBody: true },
    schema,
    handler: async (request, reply) => {
      refuseWhileDraining(draining);
      const preferences = preferencesFrom(request.headers.prefer);
      const { job, replayed } = await jobs.varyJob(
        callerOf(request),
        { ...request.body, id: request.params.id },
        {
          idempotencyKey: idempotencyKeyFrom(request.headers['idempotency-key']),
          ...jobTraceOf(request),
          origin: addresses.storedOriginOf(request),
        },
      );
      return sendAccepted(request, reply, { job, replayed, preferences });
    },
  });
}
