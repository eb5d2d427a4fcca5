import type { FastifyInstance } from 'fastify';
import type { CatalogueModel } from '../../../domain/catalogue-file.ts';
import { AppError } from '../../../domain/errors.ts';
import { type ModelCatalogue, statusOn } from '../../../domain/model-catalogue.ts';
import type { Clock } from '../../../domain/ports.ts';
import { readResponses } from './documented-responses.ts';
import type { OpenAiSettings } from './images-call.ts';
import { openAiRoute } from './route-options.ts';

interface Deps {
  readonly catalogue: ModelCatalogue;
  readonly openAi: Pick<OpenAiSettings, 'models'>;
  readonly defaultModel: string;
  readonly clock: Clock;
}

/** Placeholder for `created`. Clients require a number, and the catalogue has no release dates. */
const created = 1_735_689_600;

const viewOf = (id: string) => ({ id, object: 'model', created, owned_by: 'darkroom' });

/** `GET /v1/models` and `GET /v1/models/{id}`. */
export function modelsRoutes(app: FastifyInstance, deps: Deps): void {
  const isUsable = (model: CatalogueModel) => statusOn(model, deps.clock()) !== 'retired';

  app.route({
    method: 'GET',
    url: '/v1/models',
    ...openAiRoute('images:read'),
    schema: {
      operationId: 'listOpenAiModels',
      summary: 'List models (OpenAI-compatible)',
      description:
        'The models of the catalogue that are not retired. The names of `V1_MODEL_MAP` are not listed.',
      tags: ['openai'],
      response: readResponses('/v1/models', 'OpenAiModelList'),
    },
    handler: async () => ({
      object: 'list',
      data: deps.catalogue.models.filter(isUsable).map(({ id }) => viewOf(id)),
    }),
  });

  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/v1/models/:id',
    ...openAiRoute('images:read'),
    schema: {
      operationId: 'getOpenAiModel',
      summary: 'Read a model (OpenAI-compatible)',
      description: 'Resolves catalogue names, aliases and the names of `V1_MODEL_MAP`.',
      tags: ['openai'],
      params: {
        type: 'object',
        properties: { id: { type: 'string', description: 'Name of the model.' } },
        required: ['id'],
      },
      response: readResponses('/v1/models/{id}', 'OpenAiModel', 'model_unknown', 'uri_too_long'),
    },
    handler: async (request) => {
      const { id } = request.params;
      const model = deps.catalogue.find(deps.openAi.models.resolve(id) ?? deps.defaultModel);
      if (model && isUsable(model)) return viewOf(id);
      throw new AppError('model_unknown', { detail: `The model ${id} does not exist.` });
    },
  });
}
