import { z } from 'zod';
import { inputFields } from './input-image.ts';
import { hasMoreCodePoints } from './text.ts';

/**
 * Schema of a caller's request. The schema is strict: an unknown field is refused, so that a typo never costs money.
 * Values that depend on the model (size, quality, formats, ...) are plain strings in this schema. The catalogue, which is
 * data, defines their rules.
 */

export const priorities = ['low', 'normal', 'high'] as const;
export const enhanceModes = ['off', 'auto', 'always'] as const;
/** Decisions about a provider call whose outcome is unknown. */
export const uncertainPolicies = ['retry', 'fail'] as const;

export const maxPromptCodePoints = 32_000;
export const maxPartialImages = 3;
const secondsPerWeek = 7 * 24 * 3600;

/** Events of a job. A webhook may subscribe to single types, or to all types with `image.*` or `*`. */
export const imageEventTypes = [
  'image.queued',
  'image.started',
  'image.succeeded',
  'image.failed',
  'image.canceled',
  'image.expired',
] as const;
/** Event types that the webhook of a job can subscribe to: all types, or single types. */
export const jobEventPatterns = ['*', 'image.*', ...imageEventTypes] as const;
/** Event types that an endpoint can subscribe to. */
export const eventPatterns = [...jobEventPatterns, 'budget.threshold'] as const;

/** Returns the schema of a value that depends on the model, with values of current models as examples. */
const modelValue = (description: string, examples: string[]) =>
  z.string().min(1).max(64).meta({ examples }).optional().describe(description);

export const PresetSelection = z.strictObject({
  name: z.string().min(1).max(64).describe('Name of the preset.'),
  variables: z
    .record(z.string().max(64), z.string().max(512))
    .meta({ maxProperties: 16 })
    .optional()
    .describe('Values of its variables. A variable without a default is required.'),
});

export const PresetChoice = z.union([z.string().min(1).max(64), PresetSelection]);

export const RetentionRequest = z.strictObject({
  media_s: z.int().min(60).max(315_360_000).optional().describe('Retention of the images, in seconds.'),
  record_s: z.int().min(60).max(315_360_000).optional().describe('Retention of the record, in seconds.'),
});

export const SvgRequest = z.strictObject({
  model: z.string().min(1).max(128).optional().describe('Text model that writes the drawing. Required.'),
  reasoning: z.strictObject({ effort: modelValue('Reasoning effort, such as `low`.', ['low']) }).optional(),
});

export const WebhookRequest = z.strictObject({
  url: z.string().min(1).max(2048).describe('Public https URL.'),
  events: z
    .array(z.enum(jobEventPatterns))
    .min(1)
    .max(16)
    .optional()
    .describe('Event types, `image.*` or `*`. Default: `*`.'),
});

/** Fields of a request besides its inputs. */
export const ImageRequestFields = z.strictObject({
  prompt: z
    .string()
    .min(1)
    .meta({
      maxLength: maxPromptCodePoints,
      examples: ['A lighthouse in a storm, oil on canvas'],
    })
    .describe(
      'Description of the image, 1 to 32,000 code points in any language, not only spaces. A model may allow less.',
    ),
  model: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Name or alias from GET /models. Default: the model of the deployment, `DEFAULT_MODEL`.'),
  n: z.int().min(1).max(10).optional().describe('Number of images. Default: 1.'),
  size: z
    .string()
    .max(32)
    .meta({ examples: ['auto', '1024x1024', '1536x1024'] })
    .optional()
    .describe(
      '`auto` or WIDTHxHEIGHT in pixels. `sizes` and `free_sizes` of GET /models contain the rules of each model. Default: `auto`.',
    ),
  quality: modelValue(
    'Quality, such as `auto`, `low`, `medium`, `high`, `xhigh` or `max`; see `qualities` of GET /models. Default: the model chooses.',
    ['auto', 'low', 'medium', 'high'],
  ),
  complexity: modelValue(
    'Effort that the model spends on planning, such as `low`, `medium` or `high`; see `complexities` of GET /models.',
    ['low', 'medium', 'high'],
  ),
  background: modelValue(
    'Background, such as `auto`, `opaque` or `transparent`; see `backgrounds` of GET /models. `transparent` needs png or webp.',
    ['auto', 'opaque', 'transparent'],
  ),
  moderation: modelValue(
    'Strictness of the content filter of the provider, such as `auto` or `low`; see `moderations` of GET /models. With `moderation`, an edit takes no markup and inputs of at most 15 MB each.',
    ['auto', 'low'],
  ),
  output_format: modelValue(
    'Format, such as `png`, `jpeg`, `webp`, `gif` or `svg`; see `output_formats` of GET /models. Default: `png`.',
    ['png', 'jpeg', 'webp'],
  ),
  output_compression: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe('Compression level in percent, for `output_format` webp and jpeg only.'),
  frame_count: z
    .int()
    .min(2)
    .max(64)
    .optional()
    .describe('Number of frames of a gif. `frames` of the model has its limits.'),
  frame_duration_ms: z
    .int()
    .min(10)
    .max(655_350)
    .optional()
    .describe('Duration of each frame of a gif, in milliseconds. The provider rounds it to 10 ms.'),
  svg: SvgRequest.optional(),
  input_fidelity: modelValue(
    'How closely an edit follows its input images; see `input_fidelities` of GET /models.',
    ['low', 'high'],
  ),
  partial_images: z
    .int()
    .min(0)
    .max(maxPartialImages)
    .optional()
    .describe(
      'Number of previews while an image is generated, not for gif and svg. The provider may send fewer and charges each.',
    ),
  safety_identifier: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe(
      'Stable id or hash of your end user, for the abuse detection of the provider. The provider gets a keyed hash of it and of your tenant.',
    ),
  enhance: z.enum(enhanceModes).optional(),
  preset: PresetChoice.optional(),
  metadata: z
    .record(z.string().min(1).max(64), z.string().max(512))
    .meta({ maxProperties: 16 })
    .optional()
    .describe('Up to 16 string pairs, returned with the job and usable as filters of GET /images.'),
  webhook: WebhookRequest.optional(),
  priority: z.enum(priorities).optional(),
  queue_ttl_s: z
    .int()
    .min(1)
    .max(secondsPerWeek)
    .optional()
    .describe('Maximum time in the queue, in seconds. Then the job expires. Default: `QUEUE_TTL_S`.'),
  run_timeout_s: z
    .int()
    .min(1)
    .max(7200)
    .optional()
    .describe(
      'Maximum time of running, in seconds. Then the job fails. Waiting for a blocked provider does not count. Default: `RUN_TIMEOUT_S`.',
    ),
  retention: RetentionRequest.optional(),
  max_cost_micro_usd: z
    .int()
    .min(0)
    .optional()
    .describe('Maximum cost in micro-USD. The request is refused if `estimate.high_micro_usd` is above it.'),
  on_uncertain: z.enum(uncertainPolicies).optional(),
  provider_options: z
    .record(z.string().max(64), z.unknown())
    .meta({ maxProperties: 32 })
    .optional()
    .describe(
      'Further parameters of the provider, passed on unchanged: up to 32, at most 8 kB of JSON. Parameters that are fields of this request are refused. `user` is read as `safety_identifier`.',
    ),
});

export type ImageRequestFields = z.infer<typeof ImageRequestFields>;

/** The request on the wire. Its inputs become `inputs` of the job. */
export const ImageRequestBody = ImageRequestFields.extend(inputFields);
export type ImageRequestBody = z.infer<typeof ImageRequestBody>;
export type PresetChoice = z.infer<typeof PresetChoice>;

/** Body of a variation of one image of a job. */
export const VariationRequest = z.strictObject({
  index: z.int().min(0).max(9).optional().describe('Index of the image. Default: 0.'),
  n: ImageRequestFields.shape.n.describe('Number of images. Default: 1.'),
  prompt: ImageRequestFields.shape.prompt
    .optional()
    .describe('Description of the change. Default: the prompt of the job.'),
  max_cost_micro_usd: ImageRequestFields.shape.max_cost_micro_usd.describe(
    'Maximum cost in micro-USD. Default: none. The limit of the job is for a request without an input.',
  ),
});
export type VariationRequest = z.infer<typeof VariationRequest>;

/** The request as stored with the job: the caller's fields plus the defaults at the time of submission. */
export const ImageRequest = ImageRequestFields.extend({
  model: z.string().describe('Model that is used.'),
  n: z.int().describe('Number of images.'),
  size: z.string().describe('`auto` or WIDTHxHEIGHT in pixels.'),
  enhance: z.enum(enhanceModes),
  priority: z.enum(priorities),
  queue_ttl_s: z.int().describe('Maximum time in the queue, in seconds.'),
  run_timeout_s: z.int().describe('Maximum time of running, in seconds.'),
});
export type ImageRequest = z.infer<typeof ImageRequest>;

/** Maximum length of a short prompt, in code points. `enhance: auto` expands short prompts. */
const shortPrompt = 160;

/** Returns whether a language model has to write the description. */
export function wantsEnhancement({ enhance, prompt }: Pick<ImageRequest, 'enhance' | 'prompt'>): boolean {
  return enhance === 'always' || (enhance === 'auto' && !hasMoreCodePoints(prompt, shortPrompt));
}
