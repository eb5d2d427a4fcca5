import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { imageContentTypes } from '../../../domain/image.ts';
import { maxPartialImages } from '../../../domain/image-request.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { matchesEtag } from '../headers.ts';
import { imageCaching } from '../image-caching.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { requestHeader } from '../request-headers.ts';
import { empty, header, image, problems } from '../responses.ts';
import { sendBytes } from '../send-bytes.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'readImage'>;
  readonly clock: Clock;
}

const maxCacheSeconds = 31_536_000;

const schema = {
  operationId: 'getImageContent',
  summary: 'Download an image',
  description:
    'The bytes never change, so clients may cache them until their retention ends. `partial` selects a preview instead, which is stored until an hour after the end of the job. `variant=thumbnail` selects a small WebP, which a worker makes soon after the end of the job.',
  tags: ['images'],
  params: {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'Id of the job, `img_...`.' },
      index: { type: 'integer', minimum: 0, description: 'Index of the image, from 0.' },
    },
    required: ['id', 'index'],
  },
  querystring: {
    type: 'object',
    properties: {
      partial: {
        type: 'integer',
        minimum: 0,
        maximum: maxPartialImages - 1,
        description: 'Number of a preview of the image, from 0.',
      },
      variant: {
        type: 'string',
        enum: ['thumbnail'],
        description: 'Rendition of the image: at most 512 pixels an edge, WebP.',
      },
    },
  },
  headers: { type: 'object', properties: { 'if-none-match': requestHeader.ifNoneMatch } },
  response: {
    200: image('The bytes that the provider sent', imageContentTypes, {
      etag: header.etag,
      'cache-control': header.cacheControl,
    }),
    302: empty('A new signed link, if the storage serves the bytes', { location: header.link }),
    304: empty('Not changed since the given ETag', { etag: header.etag }),
    ...problems({ params: true }, 'not_found', 'erased', 'storage_unavailable', 'storage_failed'),
  },
};

/** Selects a rendition of an image. Default: the image itself. */
interface Rendition {
  readonly partial?: number;
  readonly variant?: 'thumbnail';
}

function readContent(
  { readImage }: Deps['jobs'],
  { tenant }: { readonly tenant: string },
  { id, index, partial, variant }: Rendition & { readonly id: string; readonly index: number },
) {
  if (partial !== undefined && variant !== undefined) {
    throw new AppError('validation_failed', {
      detail: 'Correct the parameters listed in errors.',
      issues: [{ pointer: '/query/variant', detail: 'cannot be combined with partial' }],
    });
  }
  if (partial !== undefined) return readImage.preview(tenant, id, { index, partial });
  if (variant !== undefined) return readImage.thumbnail(tenant, id, index);
  return readImage.image(tenant, id, index);
}

/** `GET /images/{id}/content/{index}`: the image, or a redirect to a new link if the storage serves it. */
export function getImageContentRoute(app: FastifyInstance, { jobs, clock }: Deps): void {
  app.route<{
    Params: { id: string; index: number };
    Querystring: Rendition;
  }>({
    method: 'GET',
    url: '/images/:id/content/:index',
    config: { scope: 'images:read' },
    schema,
    handler: async (request, reply) => {
      const { id, index } = request.params;
      const { partial } = request.query;
      const content = await readContent(jobs, callerOf(request), { id, index, ...request.query });
      if (content.kind === 'redirect') {
        return reply.header('cache-control', 'private, no-store').redirect(content.url, 302);
      }
      const etag = `"${content.image.sha256}"`;
      const { expiresAtMs } = content;
      // A later call for the image may replace its previews, and the retention of a running job has not begun.
      const isLasting = partial === undefined && expiresAtMs !== undefined;
      const caching = isLasting ? imageCaching(expiresAtMs, clock(), maxCacheSeconds) : 'private, no-cache';
      reply.header('etag', etag).header('cache-control', caching);
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      const { contentType } = content.image;
      return sendBytes(reply, await content.open(), { contentType, fileName: content.fileName });
    },
  });
}
