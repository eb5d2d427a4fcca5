import { z } from 'zod';
import { errorCodes } from '../../domain/errors.ts';
import { jobStatuses } from '../../domain/image-job.ts';
import { ImageRequest, ImageRequestBody, imageEventTypes } from '../../domain/image-request.ts';
import { ImageJobView } from '../../domain/job-view.ts';
import { CatalogueModel } from '../../domain/model-catalogue.ts';

/**
 * The schemas of the wire. zod is the source; what the server validates with and what the OpenAPI document shows is
 * the JSON Schema made from it.
 */

export type JsonSchema = Record<string, unknown>;

/** JSON Schema (2020-12) of a zod schema, without the noise that helps neither readers nor generators. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'input'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: node }) => {
      // zod writes the pattern of a format as well, and the bounds of a safe integer.
      if (node.format) delete node.pattern;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
    },
  }) as JsonSchema;
  return rest;
}

const ProblemBody = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  code: z.enum(errorCodes),
  retryable: z.boolean(),
  request_id: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  error: z.object({
    message: z.string(),
    type: z.string(),
    code: z.enum(errorCodes),
    param: z.string().nullable(),
  }),
});

export const ImageListBody = z.object({
  object: z.literal('list'),
  data: z.array(ImageJobView),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
});

const PreviewBody = z.object({
  request: ImageRequest,
  warnings: z.array(z.string()),
  estimate: z.object({
    cost_micro_usd: z.int().nullable(),
    eta_s: z.number().nullable(),
    queue_depth: z.int(),
  }),
});

export const ModelView = CatalogueModel.extend({ object: z.literal('model') });

export const PresetView = z.object({
  object: z.literal('preset'),
  name: z.string(),
  description: z.string(),
  template: z.string(),
  variables: z.record(
    z.string(),
    z.object({
      description: z.string(),
      default: z.string().nullable(),
      one_of: z.array(z.string()).nullable(),
      max_length: z.int().nullable(),
    }),
  ),
  defaults: z.record(z.string(), z.unknown()),
});

const listOf = (item: z.ZodType) => z.object({ object: z.literal('list'), data: z.array(item) });

const HealthBody = z.object({
  status: z.enum(['ok', 'unavailable']),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().nullable() })),
});

export const ImageEventBody = z.object({
  id: z.string(),
  type: z.string(),
  status: z.enum(jobStatuses),
  stage: z.string().nullable(),
  at: z.iso.datetime(),
  job: ImageJobView.optional(),
});

const WebhookBody = z.object({
  type: z.enum(imageEventTypes),
  timestamp: z.iso.datetime(),
  data: ImageJobView,
});

/** Named schemas of the OpenAPI document. */
export const components: Record<string, JsonSchema> = {
  ImageRequest: jsonSchema(ImageRequestBody),
  ImageJob: jsonSchema(ImageJobView, 'output'),
  ImageList: withRefs(jsonSchema(ImageListBody, 'output'), 'data', { type: 'array', items: ref('ImageJob') }),
  ImagePreview: jsonSchema(PreviewBody, 'output'),
  ImageEvent: withRefs(jsonSchema(ImageEventBody, 'output'), 'job', ref('ImageJob')),
  WebhookEvent: withRefs(jsonSchema(WebhookBody, 'output'), 'data', ref('ImageJob')),
  Model: jsonSchema(ModelView, 'output'),
  ModelList: withRefs(jsonSchema(listOf(ModelView), 'output'), 'data', {
    type: 'array',
    items: ref('Model'),
  }),
  Preset: jsonSchema(PresetView, 'output'),
  PresetList: withRefs(jsonSchema(listOf(PresetView), 'output'), 'data', {
    type: 'array',
    items: ref('Preset'),
  }),
  Health: jsonSchema(HealthBody, 'output'),
  Problem: jsonSchema(ProblemBody, 'output'),
};

/** Reference to a named schema. */
export function ref(name: string): JsonSchema {
  return { $ref: `${name}#` };
}

function withRefs(schema: JsonSchema, property: string, replacement: JsonSchema): JsonSchema {
  const properties = schema.properties as JsonSchema;
  return { ...schema, properties: { ...properties, [property]: replacement } };
}
