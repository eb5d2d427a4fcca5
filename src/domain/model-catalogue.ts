import { z } from 'zod';

/**
 * The model catalogue: the available models with their parameters. It is data from a file that an operator can replace,
 * because names, sizes, qualities and prices change several times a year.
 */

export const modelStatuses = ['current', 'deprecated', 'retired'] as const;

const FreeSizes = z.strictObject({
  multiple_of: z.int().min(1).describe('Divisor of both edges.'),
  min_pixels: z.int().describe('Minimum of width times height.'),
  max_pixels: z.int().describe('Maximum of width times height.'),
  max_edge: z.int().describe('Maximum of width and of height, in pixels.'),
  max_ratio: z.number().describe('Maximum ratio of the longer edge to the shorter one.'),
});

const Prices = z.strictObject({
  text_in: z.number(),
  text_in_cached: z.number().optional(),
  image_in: z.number(),
  image_in_cached: z.number().optional(),
  image_out: z.number(),
  text_out: z.number().optional(),
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
  id: z.string(),
  aliases: z.array(z.string()).default([]),
  description: z.string().optional(),
  status: z.enum(modelStatuses),
  /** Day on which the provider announced the shutdown. */
  deprecated_at: z.iso.date().nullable().default(null),
  shutdown_at: z.iso.date().nullable().default(null),
  successor: z.string().nullable().default(null),
  max_n: z.int().default(10),
  max_prompt: z.int().default(32_000),
  sizes: z.array(z.string()).default([]),
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
  token_factors: z.record(z.string(), z.number()).nullable().default(null),
  /** Output tokens by quality and size, for a model without a formula; null if they are unknown. */
  output_tokens: z.record(z.string(), z.record(z.string(), z.int())).nullable().default(null),
  /** Qualities that the model may choose if a request leaves the quality open; null: any with known tokens. */
  auto_qualities: z.array(z.string()).nullable().default(null),
  /** Whether the provider responds with a link to the image instead of the image. The link is fetched at once. */
  sends_links: z.boolean().default(false),
  /** Timeout of one call, in seconds. Default 600. */
  call_timeout_s: z.int().default(600),
  /** Typical duration of a call, in seconds, for the first estimates. */
  typical_s: z.number().nullable().default(null),
});
export type CatalogueModel = z.infer<typeof CatalogueModel>;

export const CatalogueFile = z
  .strictObject({
    $comment: z.string().optional(),
    price_version: z.string(),
    models: z.array(CatalogueModel).min(1),
    /** Prices of the language models that expand prompts, in USD per million tokens. A missing model has unknown costs. */
    text_models: z
      .record(z.string(), z.strictObject({ text_in: z.number(), text_out: z.number() }))
      .default({}),
  })
  .superRefine((file, context) => {
    const known = new Set<string>();
    for (const [i, model] of file.models.entries()) {
      for (const name of [model.id, ...model.aliases]) {
        if (known.has(name))
          context.addIssue({ code: 'custom', path: ['models', i], message: `lists ${name} twice` });
        known.add(name);
      }
    }
  });
export type CatalogueFile = z.infer<typeof CatalogueFile>;

export interface ModelCatalogue {
  readonly priceVersion: string;
  readonly models: readonly CatalogueModel[];
  /** Returns the model of a name or alias; `undefined` if the catalogue does not contain it. */
  find(name: string): CatalogueModel | undefined;
  /** Returns the prices of a language model; `null` if unknown. A dated version has the prices of the undated name. */
  textPrices(name: string): { text_in: number; text_out: number } | null;
}

/** Indexes a catalogue file. */
export function createCatalogue(file: CatalogueFile): ModelCatalogue {
  const byName = new Map<string, CatalogueModel>();
  for (const model of file.models) {
    for (const name of [model.id, ...model.aliases]) byName.set(name, model);
  }
  const textPrices = new Map(Object.entries(file.text_models));
  return {
    priceVersion: file.price_version,
    models: file.models,
    find: (name) => byName.get(name),
    textPrices: (name) =>
      textPrices.get(name) ?? textPrices.get(name.replace(/-\d{4}-\d{2}-\d{2}$/, '')) ?? null,
  };
}

/** Returns a model's status on a day. After its shutdown date the model is retired, even if the file differs. */
export function statusOn(model: CatalogueModel, nowMs: number): CatalogueModel['status'] {
  if (model.shutdown_at && Date.parse(model.shutdown_at) <= nowMs) return 'retired';
  return model.status;
}

/** Returns the correction of a value that is not among those that a model takes. */
export function correctionTo(values: readonly string[], { id }: CatalogueModel): string {
  return values.length > 0 ? `must be one of ${values.join(', ')}` : `${id} does not take this parameter`;
}

/** Returns the edges of a `WIDTHxHEIGHT` size in pixels; `null` for `auto` and any other text. */
export function parseSize(size: string): { width: number; height: number } | null {
  const match = /^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$/.exec(size);
  if (!match) return null;
  return { width: Number(match[1]), height: Number(match[2]) };
}
