import { z } from 'zod';

/**
 * The file of the model catalogue: the available models with their parameters. An operator can replace it, because names,
 * sizes, qualities and prices change several times a year. A faulty file is refused as a whole: a wrong price would make
 * budgets wrong, and no request could be corrected for a wrong rule.
 */

export const modelStatuses = ['current', 'deprecated', 'retired'] as const;

/** A price in USD per million tokens. */
const price = z.number().min(0).max(1_000_000);
const name = z.string().min(1).max(128);
const pixels = z.int().min(1).max(1_000_000_000);
const size = z
  .string()
  .refine((text) => text === 'auto' || parseSize(text) !== null, 'must be auto, or WIDTHxHEIGHT in pixels');

const FreeSizes = z.strictObject({
  multiple_of: z.int().min(1).describe('Divisor of both edges.'),
  min_pixels: pixels.describe('Minimum of width times height.'),
  max_pixels: pixels.describe('Maximum of width times height.'),
  max_edge: pixels.describe('Maximum of width and of height, in pixels.'),
  max_ratio: z.number().min(1).describe('Maximum ratio of the longer edge to the shorter one.'),
});

const Prices = z.strictObject({
  text_in: price.describe('Input text.'),
  text_in_cached: price.optional().describe('Cached input text. If absent, the price of `text_in`.'),
  image_in: price.describe('Input images.'),
  image_in_cached: price.optional().describe('Cached input images.'),
  image_out: price.describe('Generated images.'),
  text_out: price
    .optional()
    .describe('Text that the model writes. If absent, such tokens count as those of images.'),
});

const FrameRules = z.strictObject({
  min_count: z.int().min(1).describe('Minimum of `frame_count`.'),
  max_count: z.int().min(1).describe('Maximum of `frame_count`.'),
  max_duration_ms: z.int().min(10).describe('Maximum of `frame_duration_ms`.'),
});

const PartialImageRules = z.strictObject({
  max: z.int().min(1).max(3).describe('Maximum value of `partial_images`.'),
  tokens: z.int().min(0).describe('Output tokens of one partial image.'),
});

const Edits = z.strictObject({
  mask: z.boolean().default(true).describe('Whether the model takes a mask.'),
  markup: z.boolean().default(false).describe('Whether the model takes a markup.'),
  max_images: z.int().min(1).max(16).default(16).describe('Maximum number of `images`.'),
});

const valuesOf = (field: string) =>
  z
    .array(z.string())
    .default([])
    .describe(`Allowed values of \`${field}\`. If empty, the model does not take the field.`);

export const CatalogueModel = z.strictObject({
  id: name.describe('Name of the model, here and at the provider.'),
  aliases: z.array(name).default([]).describe('Other names of the model.'),
  description: z.string().optional().describe('Text for people.'),
  status: z.enum(modelStatuses),
  deprecated_at: z.iso
    .date()
    .nullable()
    .default(null)
    .describe('Day on which the provider announced the shutdown.'),
  shutdown_at: z.iso
    .date()
    .nullable()
    .default(null)
    .describe('Day from which the model is retired, whatever its status.'),
  successor: z.string().nullable().default(null).describe('Id of the model that warnings and refusals name.'),
  max_n: z.int().min(1).max(10).default(10).describe('Maximum of `n`.'),
  max_prompt: z
    .int()
    .min(1)
    .max(32_000)
    .default(32_000)
    .describe('Maximum length of a prompt, in code points.'),
  sizes: z.array(size).default([]).describe('Allowed values of `size`, as `auto` or `1024x1024`.'),
  free_sizes: FreeSizes.nullable().default(null).describe('Rules for further sizes; null if there are none.'),
  qualities: valuesOf('quality'),
  complexities: valuesOf('complexity'),
  backgrounds: valuesOf('background'),
  moderations: valuesOf('moderation'),
  output_formats: valuesOf('output_format'),
  frames: FrameRules.nullable().default(null).describe('Rules of animations; null if the model makes none.'),
  svg_efforts: valuesOf('svg.reasoning.effort'),
  input_fidelities: valuesOf('input_fidelity'),
  partial_images: PartialImageRules.nullable()
    .default(null)
    .describe('Rules of previews; null if the model sends none.'),
  edits: Edits.nullable()
    .default({ mask: true, markup: false, max_images: 16 })
    .describe('Rules for the inputs of edits; null if the model makes no edits.'),
  prices: Prices.nullable()
    .default(null)
    .describe(
      'Prices in USD per million tokens; null if they are unknown. Every cost of the model is then null.',
    ),
  token_factors: z
    .record(z.string(), z.number().positive().max(100_000))
    .nullable()
    .default(null)
    .describe('Factor of the formula for output tokens by quality; null if no formula is known.'),
  output_tokens: z
    .record(z.string(), z.record(size, z.int().min(1)))
    .nullable()
    .default(null)
    .describe('Output tokens by quality and size, for a model without a formula; null if they are unknown.'),
  auto_qualities: z
    .array(z.string())
    .nullable()
    .default(null)
    .describe('Qualities that the model may choose itself; null for any with known tokens.'),
  sends_links: z
    .boolean()
    .default(false)
    .describe(
      'Whether the provider responds with a link to the image, which is then fetched, instead of the image. Previews are not requested from such a model.',
    ),
  call_timeout_s: z.int().min(1).max(86_400).default(600).describe('Timeout of a call, in seconds.'),
  typical_s: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Typical duration of a call, in seconds, for the first estimates of time.'),
});
export type CatalogueModel = z.infer<typeof CatalogueModel>;

export const CatalogueFile = z
  .strictObject({
    $comment: z.string().optional().describe('Remark.'),
    price_version: z.string().describe('Name of the prices, which costs of jobs state.'),
    models: z.array(CatalogueModel).min(1).describe('The models. The file replaces the built-in catalogue.'),
    text_models: z
      .record(z.string(), z.strictObject({ text_in: price, text_out: price }))
      .default({})
      .describe(
        'Prices of the language models that expand prompts, in USD per million tokens. A missing model has unknown costs.',
      ),
  })
  .superRefine((file, context) => {
    for (const { at, message } of contradictionsIn(file.models))
      context.addIssue({ code: 'custom', path: ['models', at], message });
  });
export type CatalogueFile = z.infer<typeof CatalogueFile>;

/** Returns what the fields of models say against each other, with the position of the model. */
function contradictionsIn(models: readonly CatalogueModel[]): { at: number; message: string }[] {
  const ids = new Set(models.map(({ id }) => id));
  const names = new Set<string>();
  return models.flatMap((model, at) => {
    const { id, aliases, successor, free_sizes: free, frames } = model;
    const messages = [id, ...aliases].flatMap((each) => {
      const isRepeated = names.has(each);
      names.add(each);
      return isRepeated ? [`lists ${each} twice`] : [];
    });
    if (successor === id) messages.push(`${id} cannot be its own successor`);
    else if (successor && !ids.has(successor))
      messages.push(`has no model ${successor}, the successor of ${id}`);
    if (model.deprecated_at && model.shutdown_at && model.deprecated_at > model.shutdown_at)
      messages.push(`${id} has deprecated_at after shutdown_at`);
    if (free && free.min_pixels > free.max_pixels) messages.push(`${id} has min_pixels above max_pixels`);
    if (frames && frames.min_count > frames.max_count) messages.push(`${id} has min_count above max_count`);
    return messages.map((message) => ({ at, message }));
  });
}

/** Returns the edges of a `WIDTHxHEIGHT` size in pixels; `null` for `auto` and any other text. */
export function parseSize(size: string): { width: number; height: number } | null {
  const match = /^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$/.exec(size);
  if (!match) return null;
  return { width: Number(match[1]), height: Number(match[2]) };
}
