import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { FileLinks } from '../../../lib/crypto/file-link.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { header, image, problems } from '../responses.ts';
import { sendBytes } from '../send-bytes.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'readImage'>;
  readonly fileLinks: Pick<FileLinks, 'verify'>;
  readonly clock: Clock;
}

/** The parts of a link. Whatever is wrong with them is answered with the one 403. */
const linkParts = {
  params: {
    type: 'object',
    properties: { key: { type: 'string', description: 'Storage key; may hold slashes.' } },
  },
  querystring: {
    type: 'object',
    properties: {
      expires: { type: 'string', description: 'When the link stops working.' },
      type: { type: 'string', description: 'Content type.' },
      name: { type: 'string', description: 'File name.' },
      signature: { type: 'string', description: 'Signs all of it.' },
    },
    required: ['expires', 'type', 'name', 'signature'],
  },
};

/** `GET /files/*`: an image by a signed link, for storage that cannot serve links itself. Needs no key. */
export function getFileRoute(app: FastifyInstance, { jobs, fileLinks, clock }: Deps): void {
  app.route<{ Params: { '*': string }; Querystring: Record<string, unknown> }>({
    method: 'GET',
    url: '/files/*',
    config: { documented: { url: '/files/:key', ...linkParts } },
    schema: {
      operationId: 'getFile',
      summary: 'Download an image by a signed link',
      description:
        'Links come from a job and carry their expiry and signature; they are not built by callers.',
      tags: ['images'],
      response: {
        200: image('The bytes', { 'cache-control': header.cacheControl }),
        ...problems({ open: true }, 'link_expired', 'not_found', 'storage_unavailable', 'storage_failed'),
      },
    },
    handler: async (request, reply) => {
      const key = request.params['*'];
      const link = fileLinks.verify({ key, query: request.query }, clock());
      if (!link) {
        throw new AppError('link_expired', { detail: 'Read the job again for a fresh link.' });
      }
      reply
        .header('cache-control', 'private, max-age=3600, immutable')
        .header('referrer-policy', 'no-referrer');
      return sendBytes(reply, await jobs.readImage.open(key), link);
    },
  });
}
