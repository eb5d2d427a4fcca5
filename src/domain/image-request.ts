import { z } from 'zod';
import { AppError, type FieldIssue } from './errors.ts';
import { hasMoreCodePoints, numberFault, showsSomething, textFault } from './text.ts';

/**
 * Schema of a caller's request. The schema is strict: an unknown field is refused, so that a typo never costs money.
 * Values that depend on the model (size, quality, formats, ...) are plain strings in this schema. The catalogue, which is
 * data, defines their rules.
 */

export const priorities = ['low', 'normal', 'high'] as const;
const enhanceModes = ['off', 'auto', 'always'] as const;

export const maxPromptCodePoints = 32_000;
/** Maximum size of `provider_options`, in bytes of JSON without whitespace and without optional escapes. */
export const maxProviderOptionsBytes = 8 * 1024;
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
/** Event types that a webhook can subscribe to: all types, all types of one kind, or single types. */
export const eventPatterns = ['*', 'image.*', ...imageEventTypes] as const;

const modelValue = z.string().min(1).max(64);

export const PresetChoice = z.union([
  z.string().min(1).max(64),
  z.strictObject({
    name: z.string().min(1).max(64),
    variables: z.record(z.string().max(64), z.string().max(512)).meta({ maxProperties: 16 }).optional(),
  }),
]);

export const RetentionRequest = z.strictObject({
  media_s: z.int().min(60).max(315_360_000).optional(),
  record_s: z.int().min(60).max(315_360_000).optional(),
});

export const SvgRequest = z.strictObject({
  model: z.string().min(1).max(128).optional().describe('Text model that writes the drawing. Required.'),
  reasoning: z
    .strictObject({ effort: modelValue.optional().describe('Reasoning effort, such as `low`.') })
    .optional(),
});

export const WebhookRequest = z.strictObject({
  url: z.string().min(1).max(2048),
  events: z.array(z.enum(eventPatterns)).min(1).max(16).optional(),
});

export const ImageRequestBody = z.strictObject({
  prompt: z
    .string()
    .min(1)
    .meta({
      maxLength: maxPromptCodePoints,
      examples: ['A lighthouse in a storm, oil on canvas'],
    })
    .describe(
      'What to draw, 1 to 32,000 code points in any language, not only spaces. A model may allow less.',
    ),
  model: z.string().min(1).max(128).optional().describe('A name or alias from GET /models.'),
  n: z.int().min(1).max(10).optional().describe('How many images.'),
  size: z
    .string()
    .max(32)
    .optional()
    .describe('`auto` or WIDTHxHEIGHT in pixels; GET /models lists what a model takes.'),
  quality: modelValue.optional(),
  complexity: modelValue.optional(),
  background: modelValue.optional(),
  moderation: modelValue.optional(),
  output_format: modelValue.optional(),
  output_compression: z.int().min(0).max(100).optional().describe('For webp and jpeg only.'),
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
  svg: SvgRequest.optional().describe('For output_format svg only.'),
  input_fidelity: modelValue
    .optional()
    .describe(
      'How closely an edit follows its input images; `input_fidelities` of the model has the values.',
    ),
  partial_images: z
    .int()
    .min(0)
    .max(3)
    .optional()
    .describe(
      'Number of previews while an image is generated, not for gif and svg. The provider may send fewer and charges each.',
    ),
  safety_identifier: z.string().min(1).max(128).optional().describe('A hash of your end user, passed on.'),
  enhance: z
    .enum(enhanceModes)
    .optional()
    .describe(
      'Have a language model write the detailed description first; `auto` does so for short prompts.',
    ),
  preset: PresetChoice.optional().describe('A named template from GET /presets, with its variables.'),
  metadata: z
    .record(z.string().min(1).max(64), z.string().max(512))
    .meta({ maxProperties: 16 })
    .optional()
    .describe('Up to 16 string pairs, returned everywhere and filterable.'),
  webhook: WebhookRequest.optional(),
  priority: z.enum(priorities).optional(),
  queue_ttl_s: z.int().min(1).max(secondsPerWeek).optional().describe('Give up waiting after this long.'),
  run_timeout_s: z.int().min(1).max(7200).optional().describe('Give up running after this long.'),
  retention: RetentionRequest.optional(),
  max_cost_micro_usd: z
    .int()
    .min(0)
    .optional()
    .describe('Refuse the request if it may cost more than this, see `estimate.high_micro_usd`.'),
  on_uncertain: z
    .enum(['retry', 'fail'])
    .optional()
    .describe('What to do when it is unknown whether the provider made (and charged for) an image.'),
  provider_options: z
    .record(z.string().max(64), z.unknown())
    .meta({ maxProperties: 32 })
    .optional()
    .describe('Extra parameters for the provider, passed through untouched.'),
});

export type ImageRequestBody = z.infer<typeof ImageRequestBody>;
export type PresetChoice = z.infer<typeof PresetChoice>;

/** The request as stored with the job: the caller's fields plus the defaults at the time of submission. */
export const ImageRequest = ImageRequestBody.extend({
  model: z.string(),
  n: z.int(),
  size: z.string(),
  enhance: z.enum(enhanceModes),
  priority: z.enum(priorities),
  queue_ttl_s: z.int(),
  run_timeout_s: z.int(),
});
export type ImageRequest = z.infer<typeof ImageRequest>;

/** Maximum length of a short prompt, in code points. `enhance: auto` expands short prompts. */
const shortPrompt = 160;

/** Returns whether a language model has to write the description. */
export function wantsEnhancement({ enhance, prompt }: Pick<ImageRequest, 'enhance' | 'prompt'>): boolean {
  return enhance === 'always' || (enhance === 'auto' && !hasMoreCodePoints(prompt, shortPrompt));
}

/** Parameters that Darkroom itself sets. As `provider_options` they could double a payment or lose an image. */
const reservedProviderOptions = new Set([
  ...Object.keys(ImageRequestBody.shape),
  'stream',
  'response_format',
]);

/**
 * Applies the checks that the JSON Schema cannot express: Unicode, exact numbers, reserved provider options, prompts
 * that are blank or have too many code points.
 *
 * @throws AppError `validation_failed` naming every faulty field.
 */
export function checkRequestText(body: ImageRequestBody): void {
  const issues = inexactIssues(body);
  // A blank prompt is refused, because the provider would generate an arbitrary image and charge it.
  if (!showsSomething(body.prompt)) {
    issues.push({ pointer: '/prompt', detail: 'must say something, not only spaces' });
  }
  if (hasMoreCodePoints(body.prompt, maxPromptCodePoints)) {
    issues.push({ pointer: '/prompt', detail: `must have at most ${maxPromptCodePoints} code points` });
  }
  if (body.provider_options) issues.push(...providerOptionIssues(body.provider_options));
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
  }
}

/** Returns an issue for every text, key and number in a value that cannot be passed on unchanged. */
export function inexactIssues(value: unknown): FieldIssue[] {
  if (typeof value === 'string') return issuesOf(textFault(value));
  if (typeof value === 'number') return issuesOf(numberFault(value));
  if (value === null || typeof value !== 'object') return [];
  const issues: FieldIssue[] = [];
  for (const [key, nested] of Object.entries(value)) {
    const fault = textFault(key);
    // The pointer is built only for faulty values, because building it takes longer than the check.
    for (const { pointer, detail } of fault ? issuesOf(fault) : inexactIssues(nested)) {
      issues.push({ pointer: `/${pointerToken(key)}${pointer}`, detail });
    }
  }
  return issues;
}

function issuesOf(fault: string | null): FieldIssue[] {
  return fault === null ? [] : [{ pointer: '', detail: fault }];
}

function providerOptionIssues(options: Record<string, unknown>): FieldIssue[] {
  const issues: FieldIssue[] = [];
  for (const key of Object.keys(options)) {
    if (reservedProviderOptions.has(key)) {
      issues.push({
        pointer: `/provider_options/${pointerToken(key)}`,
        detail: `${key} is decided by Darkroom or is a field of its own and cannot be a provider option`,
      });
    }
  }
  if (Buffer.byteLength(JSON.stringify(options)) > maxProviderOptionsBytes) {
    issues.push({
      pointer: '/provider_options',
      detail: `must be at most ${maxProviderOptionsBytes} bytes of JSON`,
    });
  }
  return issues;
}

/** Escapes one reference token of a JSON Pointer (RFC 6901, section 3). */
export function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
