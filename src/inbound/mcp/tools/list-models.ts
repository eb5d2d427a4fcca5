import { z } from 'zod';
import { type ModelCatalogue, statusOn } from '../../../domain/model-catalogue.ts';
import type { Clock } from '../../../domain/ports.ts';
import { defineTool, type Tool } from '../tool.ts';

export interface ListModelsDeps {
  readonly catalogue: ModelCatalogue;
  readonly clock: Clock;
}

/** Returns the tool that lists the models. */
export function listModelsTools({ catalogue, clock }: ListModelsDeps): Tool[] {
  return [
    defineTool({
      name: 'list_models',
      title: 'List the models',
      description: 'Returns the models with their sizes, qualities and prices.',
      input: z.strictObject({}),
      scope: 'images:read',
      isReadOnly: true,
      async run() {
        const models = catalogue.models.map((model) => ({ ...model, status: statusOn(model, clock()) }));
        const usable = models.filter(({ status }) => status !== 'retired');
        return {
          content: [{ type: 'text', text: usable.map(({ id, status }) => `${id} (${status})`).join('\n') }],
          structuredContent: { object: 'list', data: usable },
        };
      },
    }),
  ];
}
