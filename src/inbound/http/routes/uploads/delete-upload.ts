import type { FastifyInstance } from 'fastify';
import type { Inputs } from '../../../../usecases/inputs/index.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { empty, problems, uploadParams } from '../../responses.ts';

interface Deps {
  readonly inputs: { readonly uploads: Pick<Inputs['uploads'], 'remove'> };
}

/** `DELETE /uploads/{id}` */
export function deleteUploadRoute(app: FastifyInstance, { inputs }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'DELETE',
    url: '/uploads/:id',
    config: { scope: 'images:write' },
    schema: {
      operationId: 'deleteUpload',
      summary: 'Delete an upload',
      description:
        'Jobs that used the upload keep their own copies. `GET /images?parent={id}` lists these jobs.',
      tags: ['uploads'],
      params: uploadParams,
      response: {
        204: empty('Deleted'),
        ...problems({ body: true, params: true }, 'not_found', 'storage_unavailable', 'storage_failed'),
      },
    },
    handler: async (request, reply) => {
      await inputs.uploads.remove(callerOf(request).tenant, request.params.id);
      return reply.code(204).send();
    },
  });
}
