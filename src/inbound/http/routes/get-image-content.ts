import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { inlineDisposition } from '../../../lib/content-disposition.ts';
import type { Bytes } from '../../../usecases/jobs/read-image.ts';
import type { HttpContext } from '../context.ts';
import { matchesEtag } from '../headers.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { empty, header, image, problems, requestHeader } from '../responses.ts';

/** `GET /images/{id}/content/{index}`: the image, or a redirect to a fresh link where the storage serves it. */
export function getContentRoute(app: FastifyInstance, context: HttpContext): void {
  app.route<{ Params: { id: string; index: number } }>({
    method: 'GET',
    url: '/images/:id/content/:index',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'getImageContent',
      summary: 'Download an image',
      description: 'The bytes never change, so they may be kept for good.',
      tags: ['images'],
      params: {
        type: 'object',
        properties: {
          id: { type: 'string', description: 'Id of the job, `img_...`.' },
          index: { type: 'integer', minimum: 0, description: 'Which of the images, from 0.' },
        },
        required: ['id', 'index'],
      },
      headers: { type: 'object', properties: { 'if-none-match': requestHeader.ifNoneMatch } },
      response: {
        200: image('The bytes as the provider made them', {
          etag: header.etag,
          'cache-control': header.cacheControl,
        }),
        302: empty('A fresh signed link, where the storage serves it', { location: header.link }),
        304: empty('Not changed since the given ETag', { etag: header.etag }),
        ...problems({ params: true }, 'not_found', 'erased', 'storage_unavailable', 'storage_failed'),
      },
    },
    handler: async (request, reply) => {
      const { id, index } = request.params;
      const content = await context.readContent.image(callerOf(request).tenant, id, index);
      if (content.kind === 'redirect') {
        return reply.header('cache-control', 'private, no-store').redirect(content.url, 302);
      }
      const etag = `"${content.image.sha256}"`;
      reply.header('etag', etag).header('cache-control', 'private, max-age=31536000, immutable');
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return sendBytes(reply, await content.open(), content.image.contentType, content.fileName);
    },
  });
}

/** Sends stored bytes in a way that a browser can only take for the image they are. */
export function sendBytes(
  reply: FastifyReply,
  bytes: Bytes,
  contentType: string,
  fileName: string,
): FastifyReply {
  const body = bytes.body instanceof Readable ? bytes.body : Readable.from(bytes.body);
  closeWithConnection(reply, body);
  return reply
    .header('content-type', contentType)
    .header('content-length', bytes.sizeBytes)
    .header('content-disposition', inlineDisposition(fileName))
    .header('content-security-policy', "default-src 'none'; sandbox")
    .header('cross-origin-resource-policy', 'cross-origin')
    .send(body);
}

/**
 * Lets nothing of an image stay open when its caller hangs up: an answer that waits behind another one of its connection
 * is not told that the connection is gone.
 */
function closeWithConnection(reply: FastifyReply, body: Readable): void {
  const { socket } = reply.request.raw;
  const close = () => body.destroy();
  if (socket.destroyed) return void close();
  // As many may wait on one connection as its caller asked for ahead.
  socket.setMaxListeners(0).once('close', close);
  body.once('close', () => socket.off('close', close));
}
