import type { FastifyInstance } from 'fastify';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { authorOf } from '../manager.ts';
import { empty, idParams, problems } from '../responses.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'eraseJob'>;
}

/** `DELETE /images/{id}` */
export function eraseJobRoute(app: FastifyInstance, { jobs }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'DELETE',
    url: '/images/:id',
    config: { scope: 'images:write' },
    schema: {
      operationId: 'eraseJob',
      summary: 'Erase a job',
      description:
        'Erases images, prompts, metadata and pending webhooks. A tombstone with ids, times and amounts stays; its response is 410.',
      tags: ['images'],
      params: idParams,
      response: { 204: empty('Erased'), ...problems({ body: true, params: true }, 'not_found', 'erased') },
    },
    handler: async (request, reply) => {
      await jobs.eraseJob(authorOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
}
