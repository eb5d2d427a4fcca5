import type { FastifyInstance } from 'fastify';
import type { Inputs } from '../../../../usecases/inputs/index.ts';
import type { Jobs } from '../../../../usecases/jobs/index.ts';
import { authorOf } from '../../manager.ts';
import { empty, problems, uploadParams } from '../../responses.ts';

interface Deps {
  readonly inputs: { readonly uploads: Pick<Inputs['uploads'], 'remove'> };
  readonly jobs: Pick<Jobs, 'eraseUpload'>;
}

const querystring = {
  type: 'object',
  properties: {
    erase_jobs: {
      type: 'boolean',
      description:
        'Also erase every job with this upload as an input, and every job with an image of these as an input. This works after the upload has expired, too. Default: false.',
    },
  },
};

/** `DELETE /uploads/{id}` */
export function deleteUploadRoute(app: FastifyInstance, { inputs, jobs }: Deps): void {
  app.route<{ Params: { id: string }; Querystring: { erase_jobs?: boolean } }>({
    method: 'DELETE',
    url: '/uploads/:id',
    config: { scope: 'images:write' },
    schema: {
      operationId: 'deleteUpload',
      summary: 'Delete an upload',
      description:
        'Jobs that used the upload keep their own copies. `GET /images?parent={id}` lists these jobs, and `erase_jobs` erases them.',
      tags: ['uploads'],
      params: uploadParams,
      querystring,
      response: {
        204: empty('Deleted'),
        ...problems({ body: true, params: true }, 'not_found', 'storage_unavailable', 'storage_failed'),
      },
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      if (request.query.erase_jobs === true) await jobs.eraseUpload(authorOf(request), id);
      else await inputs.uploads.remove(authorOf(request), id);
      return reply.code(204).send();
    },
  });
}
