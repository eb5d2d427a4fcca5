import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import { openAiRoute } from './route-options.ts';

/** `POST /v1/images/variations`: refuses every request, because OpenAI retired the call. The error names its replacement. */
export function variationsRoute(app: FastifyInstance): void {
  app.route({
    method: 'POST',
    url: '/v1/images/variations',
    ...openAiRoute('images:write'),
    schema: { hide: true },
    // The route refuses before the body is read, because old clients send files.
    onRequest: async () => {
      throw new AppError('not_found', {
        detail: 'Variations are retired. Use POST /v1/images/edits with the image as input.',
      });
    },
    handler: async () => undefined,
  });
}
