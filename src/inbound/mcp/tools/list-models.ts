import { z } from 'zod';
import type { Estimate } from '../../../domain/estimate.ts';
import { type ModelCatalogue, statusOn } from '../../../domain/model-catalogue.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { Presets } from '../../../domain/preset.ts';
import { describeModel, describePreset } from '../describe-models.ts';
import { defineTool, type Tool } from '../tool.ts';

export interface ListModelsDeps {
  readonly catalogue: ModelCatalogue;
  readonly presets: Presets;
  readonly estimate: Estimate;
  readonly clock: Clock;
}

/** Returns the tool that lists the models and the presets. */
export function listModelsTools({ catalogue, presets, estimate, clock }: ListModelsDeps): Tool[] {
  return [
    defineTool({
      name: 'list_models',
      title: 'List models and presets',
      description:
        'Returns the models with their allowed values and costs, and the presets. Free. Call it before you set model, size, quality, output_format or preset; a call without them uses good defaults.',
      input: z.strictObject({}),
      scope: 'images:read',
      isReadOnly: true,
      async run() {
        const models = catalogue.models.map((model) => ({ ...model, status: statusOn(model, clock()) }));
        const usable = models.filter(({ status }) => status !== 'retired');
        const text = [
          'Models:',
          ...usable.map((model) => describeModel(model, estimate)),
          'Presets:',
          ...presets.all.map(describePreset),
        ];
        return {
          content: [{ type: 'text', text: text.join('\n') }],
          structuredContent: { object: 'list', data: usable, presets: presets.all },
        };
      },
    }),
  ];
}
