import type { FastifyInstance } from 'fastify';
import { viewUpload } from '../../../../domain/upload.ts';
import type { Inputs } from '../../../../usecases/inputs/index.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { json, problems, uploadParams } from '../../responses.ts';

interface Deps {
  readonly inputs: { readonly uploads: Pick<Inputs['uploads'], 'get'> };
}

/** `GET /uploads/{id}` */
export function getUploadRoute(app: FastifyInstance, { inputs }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/uploads/:id',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'getUpload',
      summary: 'Read an upload',
      description: 'An expired upload is not found.',
      tags: ['uploads'],
      params: uploadParams,
      response: { 200: json('The upload', 'Upload'), ...problems({ params: true }, 'not_found') },
    },
    handler: async (request) =>
      viewUpload(await inputs.uploads.get(callerOf(request).tenant, request.params.id)),
  });
}
