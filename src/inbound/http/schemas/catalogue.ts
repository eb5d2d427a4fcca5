import { z } from 'zod';
import { CatalogueModel, modelStatuses } from '../../../domain/catalogue-file.ts';
import type { SchemaGroup } from '../json-schema.ts';

const Model = CatalogueModel.extend({ object: z.literal('model') });

const PresetVariable = z.object({
  description: z.string(),
  default: z.string().nullable().describe('Default; `null` if the variable is required.'),
  one_of: z.array(z.string()).nullable().describe('Allowed values; `null` for any.'),
  max_length: z.int().nullable().describe('Maximum length in code points.'),
});

const Preset = z.object({
  object: z.literal('preset'),
  name: z.string(),
  description: z.string(),
  template: z.string().describe('Text around the prompt and the variables.'),
  variables: z.record(z.string(), PresetVariable),
  requires_images: z.int().describe('Minimum number of `images` in a request with this preset.'),
  defaults: z.record(z.string(), z.unknown()).describe('Defaults of request fields.'),
});

const listOf = (item: z.ZodType) => z.object({ object: z.literal('list'), data: z.array(item) });

const HealthCheck = z.object({
  ok: z.boolean(),
  detail: z.string().nullable().describe('Reason of a failure, or a remark.'),
});

const healthStatuses = ['ok', 'unavailable'] as const;

const Health = z.object({
  status: z.enum(healthStatuses),
  checks: z.record(z.string(), HealthCheck).describe('Results by the name of the check.'),
});

/** Schemas of models, presets and probes. */
export const catalogueSchemas: SchemaGroup = {
  responses: {
    Model,
    FreeSizes: CatalogueModel.shape.free_sizes.unwrap().unwrap(),
    FrameRules: CatalogueModel.shape.frames.unwrap().unwrap(),
    PartialImageRules: CatalogueModel.shape.partial_images.unwrap().unwrap(),
    EditRules: CatalogueModel.shape.edits.unwrap().unwrap(),
    ModelPrices: CatalogueModel.shape.prices.unwrap().unwrap(),
    ModelList: listOf(Model),
    PresetVariable,
    Preset,
    PresetList: listOf(Preset),
    HealthCheck,
    Health,
  },
  values: {
    ModelStatus: {
      values: modelStatuses,
      description:
        'Status of a model. `deprecated` still works and ends at `shutdown_at`, `retired` is refused.',
    },
    HealthStatus: { values: healthStatuses, description: 'Whether every check passed.' },
  },
  notes: {
    FreeSizes: { description: 'Rules for sizes that the model accepts besides its list.' },
    FrameRules: { description: 'Limits of `frame_count` and `frame_duration_ms`.' },
    EditRules: { description: 'Rules for the inputs of edits.' },
    PartialImageRules: { description: 'Limit and price of `partial_images`.' },
    ModelPrices: { description: 'Prices in USD per million tokens.' },
  },
};
