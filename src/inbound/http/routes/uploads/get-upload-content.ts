import type { FastifyInstance } from 'fastify';
import { inputContentTypes } from '../../../../domain/input-image.ts';
import type { Inputs } from '../../../../usecases/inputs/index.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { empty, header, image, problems, uploadParams } from '../../responses.ts';
import { sendBytes } from '../../send-bytes.ts';

interface Deps {
  readonly inputs: { readonly uploads: Pick<Inputs['uploads'], 'open'> };
}

/** `GET /uploads/{id}/content`: the file, or a redirect to a new link if the storage serves it. */
export function getUploadContentRoute(app: FastifyInstance, { inputs }: Deps): void {
  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/uploads/:id/content',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'getUploadContent',
      summary: 'Download an upload',
      description: 'The stored bytes, whose digest is `sha256` of the upload.',
      tags: ['uploads'],
      params: uploadParams,
      response: {
        200: image('The stored bytes', inputContentTypes, { 'cache-control': header.cacheControl }),
        302: empty('A new signed link, if the storage serves the bytes', { location: header.link }),
        ...problems({ params: true }, 'not_found', 'storage_unavailable', 'storage_failed'),
      },
    },
    handler: async (request, reply) => {
      const content = await inputs.uploads.open(callerOf(request).tenant, request.params.id);
      if (content.kind === 'redirect') {
        return reply.header('cache-control', 'private, no-store').redirect(content.url, 302);
      }
      const { contentType } = content.upload;
      reply.header('cache-control', 'private, no-cache');
      return sendBytes(reply, content, { contentType, fileName: content.fileName });
    },
  });
}
