import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { openAiRoute } from './route-options.ts';

/** `POST /v1/images/variations`: retired by OpenAI. The error names what replaces it. */
export function variationsRoute(app: FastifyInstance): void {
  app.route({
    method: 'POST',
    url: '/v1/images/variations',
    ...openAiRoute('images:write'),
    schema: { hide: true },
    // Before the body is read, because old clients send files.
    onRequest: async () => {
      throw new AppError('not_found', {
        detail: 'Variations are retired. Use POST /v1/images/edits with the image as input.',
      });
    },
    handler: async () => undefined,
  });
}
