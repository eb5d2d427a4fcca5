import type { FastifyInstance } from 'fastify';
import { viewUpload } from '../../../../domain/upload.ts';
import type { Inputs } from '../../../../usecases/inputs/index.ts';
import { decodeCursor, pageOf } from '../../cursor.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { defaultPageSize, json, pageQuery, problems } from '../../responses.ts';

interface Deps {
  readonly inputs: { readonly uploads: Pick<Inputs['uploads'], 'list'> };
}

/** `GET /uploads` */
export function listUploadsRoute(app: FastifyInstance, { inputs }: Deps): void {
  app.route<{ Querystring: { limit?: number; cursor?: string } }>({
    method: 'GET',
    url: '/uploads',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'listUploads',
      summary: 'List the uploads',
      description: 'Newest first.',
      tags: ['uploads'],
      querystring: { type: 'object', properties: pageQuery },
      response: { 200: json('A page of uploads', 'UploadList'), ...problems({}) },
    },
    handler: async (request) => {
      const { limit = defaultPageSize, cursor } = request.query;
      const { uploads, nextBeforeId } = await inputs.uploads.list(callerOf(request).tenant, {
        limit,
        beforeId: decodeCursor(cursor, 'upl'),
      });
      return pageOf(uploads.map(viewUpload), nextBeforeId);
    },
  });
}
