import type { FastifyInstance } from 'fastify';
import { statusOn } from '../../../domain/model-catalogue.ts';
import type { HttpContext } from '../context.ts';
import { json, problems } from '../responses.ts';

/** `GET /models`: the catalogue with today's status of every model. */
export function listModelsRoute(app: FastifyInstance, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/models',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'listModels',
      summary: 'List the models',
      description:
        'Rules, prices (USD per million tokens), status and successor of every model in the catalogue.',
      tags: ['catalogue'],
      response: { 200: json('The catalogue', 'ModelList'), ...problems({}) },
    },
    handler: async () => ({
      object: 'list',
      data: context.catalogue.models.map((model) => ({
        object: 'model',
        ...model,
        status: statusOn(model, context.clock()),
      })),
    }),
  });
}
