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
  text_in: price,
  text_in_cached: price.optional(),
  image_in: price,
  image_in_cached: price.optional(),
  image_out: price,
  text_out: price.optional(),
});

const FrameRules = z.strictObject({
  min_count: z.int().min(1),
  max_count: z.int().min(1),
  max_duration_ms: z.int().min(10),
});

const PartialImageRules = z.strictObject({
  max: z.int().min(1).max(3).describe('Maximum value of `partial_images`.'),
  tokens: z.int().min(0).describe('Output tokens of one partial image.'),
});

const Edits = z.strictObject({
  /** Whether the model takes a mask. */
  mask: z.boolean().default(true),
  /** Whether the model takes a markup. */
  markup: z.boolean().default(false),
  max_images: z.int().min(1).max(16).default(16),
});

export const CatalogueModel = z.strictObject({
  id: name,
  aliases: z.array(name).default([]),
  description: z.string().optional(),
  status: z.enum(modelStatuses),
  /** Day on which the provider announced the shutdown. */
  deprecated_at: z.iso.date().nullable().default(null),
  shutdown_at: z.iso.date().nullable().default(null),
  successor: z.string().nullable().default(null),
  max_n: z.int().min(1).max(10).default(10),
  max_prompt: z.int().min(1).max(32_000).default(32_000),
  sizes: z.array(size).default([]),
  free_sizes: FreeSizes.nullable().default(null),
  qualities: z.array(z.string()).default([]),
  complexities: z.array(z.string()).default([]),
  backgrounds: z.array(z.string()).default([]),
  moderations: z.array(z.string()).default([]),
  output_formats: z.array(z.string()).default([]),
  /** Rules of animations, which have the output format gif. If it is null, the model makes none. */
  frames: FrameRules.nullable().default(null),
  /** Allowed values of `svg.reasoning.effort`. */
  svg_efforts: z.array(z.string()).default([]),
  /** Allowed values of `input_fidelity`, which only edits have. */
  input_fidelities: z.array(z.string()).default([]),
  /** Rules of previews. If it is null, the model sends none. */
  partial_images: PartialImageRules.nullable().default(null),
  /** Inputs of edits; null if the model makes no edits. */
  edits: Edits.nullable().default({ mask: true, markup: false, max_images: 16 }),
  /** Prices in USD per million tokens. If it is null, the prices are unknown and every cost of the model is null. */
  prices: Prices.nullable().default(null),
  /** Factor `f` of the output token formula per quality; null if no formula is known. */
  token_factors: z.record(z.string(), z.number().positive().max(100_000)).nullable().default(null),
  /** Output tokens by quality and size, for a model without a formula; null if they are unknown. */
  output_tokens: z
    .record(z.string(), z.record(size, z.int().min(1)))
    .nullable()
    .default(null),
  /** Qualities that the model may choose if a request leaves the quality open; null: any with known tokens. */
  auto_qualities: z.array(z.string()).nullable().default(null),
  /** Whether the provider responds with a link to the image instead of the image. The link is fetched at once. */
  sends_links: z.boolean().default(false),
  /** Timeout of one call, in seconds. Default 600. */
  call_timeout_s: z.int().min(1).max(86_400).default(600),
  /** Typical duration of a call, in seconds, for the first estimates. */
  typical_s: z.number().positive().nullable().default(null),
});
export type CatalogueModel = z.infer<typeof CatalogueModel>;

export const CatalogueFile = z
  .strictObject({
    $comment: z.string().optional(),
    price_version: z.string(),
    models: z.array(CatalogueModel).min(1),
    /** Prices of the language models that expand prompts, in USD per million tokens. A missing model has unknown costs. */
    text_models: z.record(z.string(), z.strictObject({ text_in: price, text_out: price })).default({}),
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
