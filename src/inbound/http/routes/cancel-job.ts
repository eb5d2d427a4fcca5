import type { FastifyInstance } from 'fastify';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { callerOf } from '../plugins/authenticate.ts';
import type { PresentTo } from '../present-to.ts';
import { header, idParams, json, problems } from '../responses.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'cancelJob'>;
  readonly presentTo: PresentTo;
}

/** `POST /images/{id}/cancel` */
export function cancelJobRoute(app: FastifyInstance, { jobs, presentTo }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'POST',
    url: '/images/:id/cancel',
    config: { scope: 'images:write' },
    schema: {
      operationId: 'cancelJob',
      summary: 'Cancel a job',
      description:
        'A queued job ends at once and costs nothing. The provider call of a running job is aborted within a second; `cost.billing` shows whether it may be charged.',
      tags: ['images'],
      params: idParams,
      response: {
        200: json('The job', 'ImageJob', { headers: { 'cache-control': header.cacheControl } }),
        ...problems({ body: true, params: true }, 'not_found', 'erased', 'already_terminal'),
      },
    },
    handler: async (request, reply) => {
      const job = await jobs.cancelJob(callerOf(request).tenant, request.params.id);
      reply.header('cache-control', 'no-store');
      return presentTo(request, job);
    },
  });
}
