import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { imageContentTypes } from '../../../domain/image.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { FileLinks } from '../../../lib/crypto/file-link.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { imageCaching } from '../image-caching.ts';
import { header, image, problems } from '../responses.ts';
import { sendBytes } from '../send-bytes.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'readImage'>;
  readonly fileLinks: Pick<FileLinks, 'verify'>;
  readonly clock: Clock;
}

/** Documented parts of a link. An invalid part always leads to the same response, 403. */
const linkParts = {
  params: {
    type: 'object',
    properties: { key: { type: 'string', description: 'Storage key. May contain slashes.' } },
  },
  querystring: {
    type: 'object',
    properties: {
      expires: { type: 'string', description: 'Expiry of the link.' },
      type: { type: 'string', description: 'Content type.' },
      name: { type: 'string', description: 'File name.' },
      signature: { type: 'string', description: 'Signature of the link.' },
    },
    required: ['expires', 'type', 'name', 'signature'],
  },
};

/** `GET /files/*`: an image by a signed link, for a storage without links of its own. Needs no key. */
export function getFileRoute(app: FastifyInstance, { jobs, fileLinks, clock }: Deps): void {
  app.route<{ Params: { '*': string }; Querystring: Record<string, unknown> }>({
    method: 'GET',
    url: '/files/*',
    config: { documented: { url: '/files/:key', ...linkParts } },
    schema: {
      operationId: 'getFile',
      summary: 'Download an image by a signed link',
      description: 'The link is part of a job and contains its expiry and signature.',
      tags: ['images'],
      response: {
        200: image('The bytes', imageContentTypes, { 'cache-control': header.cacheControl }),
        ...problems({ open: true }, 'link_expired', 'not_found', 'storage_unavailable', 'storage_failed'),
      },
    },
    handler: async (request, reply) => {
      const key = request.params['*'];
      const link = fileLinks.verify({ key, query: request.query }, clock());
      if (!link) {
        throw new AppError('link_expired', {
          detail: 'Link expired or altered. Read the job again for a new link.',
        });
      }
      reply
        .header('cache-control', imageCaching(link.expiresAtMs, clock(), 3600))
        .header('referrer-policy', 'no-referrer');
      return sendBytes(reply, await jobs.readImage.open(key), link);
    },
  });
}
