import type { FastifyInstance } from 'fastify';
import { type ModelCatalogue, statusOn } from '../../../domain/model-catalogue.ts';
import type { Clock } from '../../../domain/ports.ts';
import { json, problems } from '../responses.ts';

interface Deps {
  readonly catalogue: ModelCatalogue;
  readonly clock: Clock;
}

/** `GET /models`: the catalogue with the current status of every model. */
export function listModelsRoute(app: FastifyInstance, { catalogue, clock }: Deps): void {
  app.route({
    method: 'GET',
    url: '/models',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'listModels',
      summary: 'List the models',
      description:
        'Rules, prices in USD per million tokens, status and successor of every model in the catalogue.',
      tags: ['catalogue'],
      response: { 200: json('The catalogue', 'ModelList'), ...problems({}) },
    },
    handler: async () => ({
      object: 'list',
      data: catalogue.models.map((model) => ({
        object: 'model',
        ...model,
        status: statusOn(model, clock()),
      })),
    }),
  });
}
