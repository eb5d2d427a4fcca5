import { z } from 'zod';
import { AppError, type FieldIssue } from './errors.ts';
import type { ImageRequest } from './image-request.ts';
import { nearestName } from './nearest-name.ts';
import { hasMoreCodePoints } from './text.ts';

/**
 * The model catalogue: the available models with their parameters. It is data from a file that an operator can replace,
 * because names, sizes, qualities and prices change several times a year.
 */

const FreeSizes = z.strictObject({
  multiple_of: z.int().min(1),
  min_pixels: z.int(),
  max_pixels: z.int(),
  max_edge: z.int(),
  max_ratio: z.number(),
});

const Prices = z.strictObject({
  text_in: z.number(),
  text_in_cached: z.number().optional(),
  image_in: z.number(),
  image_in_cached: z.number().optional(),
  image_out: z.number(),
  text_out: z.number().optional(),
});

export const CatalogueModel = z.strictObject({
  id: z.string(),
  aliases: z.array(z.string()).default([]),
  description: z.string().optional(),
  status: z.enum(['current', 'deprecated', 'retired']),
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
  /** Prices in USD per million tokens. If it is null, the prices are unknown and every cost of the model is null. */
  prices: Prices.nullable().default(null),
  /** Factor `f` of the output token formula per quality; null if no formula is known. */
  token_factors: z.record(z.string(), z.number()).nullable().default(null),
  /** Qualities that the model may choose if a request leaves the quality open; null: any of `token_factors`. */
  auto_qualities: z.array(z.string()).nullable().default(null),
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
  return {
    priceVersion: file.price_version,
    models: file.models,
    find: (name) => byName.get(name),
    textPrices: (name) =>
      file.text_models[name] ?? file.text_models[name.replace(/-\d{4}-\d{2}-\d{2}$/, '')] ?? null,
  };
}

/** Returns a model's status on a day. After its shutdown date the model is retired, even if the file differs. */
export function statusOn(model: CatalogueModel, nowMs: number): CatalogueModel['status'] {
  if (model.shutdown_at && Date.parse(model.shutdown_at) <= nowMs) return 'retired';
  return model.status;
}

/**
 * Checks a request against its model's rules before anything is queued.
 *
 * @param options.frame text that a preset adds around the prompt.
 * @returns warnings to store with the job (deprecated or unknown model).
 * @throws AppError `model_retired` naming the successor, `model_unknown` if unknown models are forbidden, or
 * `validation_failed` naming every field that the model does not accept.
 */
export function checkAgainstCatalogue(
  request: ImageRequest,
  catalogue: ModelCatalogue,
  options: { nowMs: number; allowUnknownModels: boolean; promptTemplate?: readonly string[] | undefined },
): string[] {
  const model = catalogue.find(request.model);
  if (!model) return unknownModel(request.model, catalogue, options);
  const status = statusOn(model, options.nowMs);
  const instead = model.successor ?? 'a model from GET /models';
  if (status === 'retired') {
    const since = model.shutdown_at ? ` on ${model.shutdown_at}` : '';
    throw new AppError('model_retired', {
      detail: `${request.model} was shut down${since}. Use ${instead}.`,
      issues: [{ pointer: '/model', detail: `retired; its successor is ${model.successor ?? 'unknown'}` }],
    });
  }
  const issues = ruleIssues(request, model, options.promptTemplate);
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: `${model.id} does not take this request.`, issues });
  }
  if (status !== 'deprecated') return [];
  const until = model.shutdown_at ? ` and shuts down on ${model.shutdown_at}` : '';
  return [`${model.id} is deprecated${until}; move to ${instead}.`];
}

function unknownModel(
  name: string,
  catalogue: ModelCatalogue,
  { allowUnknownModels, nowMs }: { allowUnknownModels: boolean; nowMs: number },
): string[] {
  if (!allowUnknownModels) {
    const usable = catalogue.models.filter((model) => statusOn(model, nowMs) !== 'retired');
    const nearest = nearestName(
      name,
      usable.flatMap(({ id, aliases }) => [id, ...aliases]),
    );
    const suggestion = nearest ? ` Did you mean ${nearest}?` : '';
    throw new AppError('model_unknown', {
      detail: `${name} is not in the catalogue of this deployment.${suggestion} GET /models lists the models.`,
      issues: [
        {
          pointer: '/model',
          detail: nearest ? `not in the catalogue; nearest: ${nearest}` : 'not in the catalogue',
        },
      ],
    });
  }
  return [`${name} is not in the catalogue: its parameters were not checked and its cost is unknown.`];
}

function ruleIssues(
  request: ImageRequest,
  model: CatalogueModel,
  promptTemplate: readonly string[] | undefined,
): FieldIssue[] {
  const issues: FieldIssue[] = [];
  const oneOf = (field: keyof ImageRequest, allowed: readonly string[]) => {
    const value = request[field];
    if (typeof value !== 'string' || allowed.includes(value)) return;
    const detail =
      allowed.length > 0
        ? `must be one of ${allowed.join(', ')}`
        : `${model.id} does not take this parameter`;
    issues.push({ pointer: `/${field}`, detail });
  };
  oneOf('quality', model.qualities);
  oneOf('complexity', model.complexities);
  oneOf('background', model.backgrounds);
  oneOf('moderation', model.moderations);
  oneOf('output_format', model.output_formats);
  const sizeFault = sizeIssue(request.size, model);
  if (sizeFault) issues.push({ pointer: '/size', detail: sizeFault });
  if (request.n > model.max_n) issues.push({ pointer: '/n', detail: `must be at most ${model.max_n}` });
  if (hasMoreCodePoints(promptTemplate?.join(request.prompt) ?? request.prompt, model.max_prompt)) {
    const whole = promptTemplate ? ' together with what its preset adds' : '';
    issues.push({ pointer: '/prompt', detail: `must have at most ${model.max_prompt} code points${whole}` });
  }
  const format = request.output_format ?? 'png';
  if (request.background === 'transparent' && format === 'jpeg') {
    issues.push({ pointer: '/background', detail: 'transparent needs output_format png or webp' });
  }
  if (request.output_compression !== undefined && format === 'png') {
    issues.push({ pointer: '/output_compression', detail: 'is for output_format webp and jpeg only' });
  }
  return issues;
}

function sizeIssue(size: string, model: CatalogueModel): string | null {
  if (model.sizes.includes(size)) return null;
  const edges = parseSize(size);
  const free = model.free_sizes;
  if (!edges || !free) return `must be one of ${model.sizes.join(', ')}`;
  const { width, height } = edges;
  if (width % free.multiple_of !== 0 || height % free.multiple_of !== 0) {
    return `both edges must be multiples of ${free.multiple_of}`;
  }
  if (Math.max(width, height) > free.max_edge) return `no edge may be above ${free.max_edge}`;
  if (Math.max(width, height) / Math.min(width, height) > free.max_ratio) {
    return `the ratio of the edges may be at most ${free.max_ratio} to 1`;
  }
  const pixels = width * height;
  if (pixels < free.min_pixels || pixels > free.max_pixels) {
    return `must have ${free.min_pixels} to ${free.max_pixels} pixels in all`;
  }
  return null;
}

/** Returns the edges of a `WIDTHxHEIGHT` size in pixels; `null` for `auto` and any other text. */
export function parseSize(size: string): { width: number; height: number } | null {
  const match = /^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$/.exec(size);
  if (!match) return null;
  return { width: Number(match[1]), height: Number(match[2]) };
}
