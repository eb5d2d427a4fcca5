import type { ImageFormat } from './drawing/render.ts';
import type { EditInputs } from './edits/decode-inputs.ts';
import { type ModelFamily, modelFamily } from './models.ts';
import { invalid } from './refusals.ts';
import { readSvg, type SvgRequest } from './svg-request.ts';

/** Validated request for images, with `auto` resolved. */
export type GenerationRequest = {
  prompt: string;
  family: ModelFamily;
  n: number;
  width: number;
  height: number;
  quality: string;
  background: 'transparent' | 'opaque';
  format: ImageFormat;
  /** Null unless the format is `svg`. */
  svg: SvgRequest | null;
  compression: number;
  seed: string;
  stream: boolean;
  partialImages: number;
  /** The inputs of an edit. Null for a generation. */
  inputs: EditInputs | null;
  /** Image tokens of the inputs. */
  inputTokens: number;
};

type Body = Readonly<Record<string, unknown>>;

const KNOWN = new Set([
  'prompt',
  'model',
  'n',
  'size',
  'quality',
  'complexity',
  'background',
  'moderation',
  'output_format',
  'output_compression',
  'frame_count',
  'frame_duration_ms',
  'svg',
  'stream',
  'partial_images',
  'safety_identifier',
  'user',
  'seed',
]);
const FORMATS: readonly ImageFormat[] = ['png', 'jpeg', 'webp', 'gif', 'svg'];
const CLASSIC_SIZES = ['1024x1024', '1536x1024', '1024x1536'];
const DEFAULT_MODEL = 'gpt-image-2.6-flare';
const MAX_PROMPT = 32_000;

/** Quality that `auto` stands for. */
export type AutoQuality = 'medium' | 'dearest';

/**
 * Reads and checks a request body as OpenAI does.
 * @throws StudioRefusal 400 naming the parameter, or 404 for a model that was shut down.
 */
export function readGenerationRequest(
  body: Body,
  autoQuality: AutoQuality = 'medium',
  { isEdit = false } = {},
): GenerationRequest {
  const unknown = Object.keys(body).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw invalid(unknown, 'unknown_parameter', `Unknown parameter: '${unknown}'.`);
  const family = modelFamily(text(body, 'model') ?? DEFAULT_MODEL);
  const format = oneOf(body, 'output_format', FORMATS) ?? 'png';
  const background = oneOf(body, 'background', ['transparent', 'opaque', 'auto'] as const) ?? 'auto';
  if (background === 'transparent' && format === 'jpeg') {
    throw invalid('background', 'invalid_value', 'A transparent background needs output_format png or webp.');
  }
  const compression = whole(body, 'output_compression', [0, 100]) ?? 100;
  if (format !== 'jpeg' && format !== 'webp' && compression < 100) {
    throw invalid('output_compression', 'invalid_value', 'output_compression below 100 needs jpeg or webp.');
  }
  checkFrames(body, format);
  oneOf(body, 'complexity', ['low', 'medium', 'high']);
  oneOf(body, 'moderation', ['auto', 'low']);
  text(body, 'safety_identifier');
  text(body, 'user');
  const quality = oneOf(body, 'quality', [...family.qualities, 'auto']) ?? 'auto';
  const stream = flag(body, 'stream');
  const partialImages = whole(body, 'partial_images', [0, 3]) ?? 0;
  if (partialImages > 0 && !stream) {
    throw invalid('partial_images', 'invalid_value', 'partial_images needs stream: true.');
  }
  const svg = readSvg(body, { format, family, isEdit });
  const n = whole(body, 'n', [1, 10]) ?? 1;
  checkDelivery(format, { n, stream });
  return {
    prompt: readPrompt(body),
    family,
    n,
    svg,
    ...readSize(body, family),
    quality: quality === 'auto' ? resolveAuto(family, autoQuality) : quality,
    background: background === 'transparent' ? 'transparent' : 'opaque',
    format,
    compression,
    seed: String(body.seed ?? ''),
    stream,
    partialImages,
    inputs: null,
    inputTokens: 0,
  };
}

/** Checks the combinations that OpenAI excludes for animations and drawings. */
function checkDelivery(format: ImageFormat, { n, stream }: { n: number; stream: boolean }): void {
  if (format === 'svg' && n > 1) throw invalid('n', 'invalid_value', "output_format svg needs 'n' = 1.");
  if ((format === 'svg' || format === 'gif') && stream) {
    throw invalid('stream', 'invalid_value', `output_format ${format} cannot be streamed.`);
  }
}

/** Checks the frames of an animation. The studio draws one frame, whatever their number. */
function checkFrames(body: Body, format: ImageFormat): void {
  const ranges = { frame_count: [2, 16], frame_duration_ms: [1, 655_350] } as const;
  for (const [name, range] of Object.entries(ranges)) {
    const value = whole(body, name, range);
    if (value !== null && format !== 'gif') {
      throw invalid(name, 'invalid_value', `'${name}' needs output_format gif.`);
    }
  }
}

const resolveAuto = ({ qualities }: ModelFamily, auto: AutoQuality): string =>
  (auto === 'dearest' ? qualities.at(-1) : undefined) ?? 'medium';

/**
 * Derives a seed for a call without one, from the number at the end of its client request id. The calls of one job
 * therefore draw different images, as with a real model, and the first image of a prompt is always the same.
 */
export function variedBy(clientRequestId: string | null, request: GenerationRequest): GenerationRequest {
  const no = /-([0-9]{1,4})$/.exec(clientRequestId ?? '')?.[1] ?? '1';
  return request.seed === '' && no !== '1' ? { ...request, seed: no } : request;
}

function readPrompt(body: Body): string {
  const prompt = text(body, 'prompt');
  if (prompt === null)
    throw invalid('prompt', 'missing_required_parameter', "Missing required parameter: 'prompt'.");
  if (prompt === '') throw invalid('prompt', 'empty_string', "Invalid 'prompt': the text is empty.");
  const length = [...prompt].length;
  if (length > MAX_PROMPT) {
    const message = `Invalid 'prompt': at most ${MAX_PROMPT} characters are allowed, got ${length}.`;
    throw invalid('prompt', 'string_above_max_length', message);
  }
  return prompt;
}

/** Reads the size within the published limits of edges, ratio and number of pixels. */
function readSize(body: Body, family: ModelFamily): { width: number; height: number } {
  const size = text(body, 'size') ?? 'auto';
  if (size === 'auto') return { width: 1024, height: 1024 };
  const refuse = (reason: string) => invalid('size', 'invalid_value', `Invalid size '${size}'. ${reason}`);
  if (!family.freeSizes && !CLASSIC_SIZES.includes(size)) {
    throw refuse(`Supported sizes are ${CLASSIC_SIZES.join(', ')} and auto.`);
  }
  const [, w, h] = /^(\d{1,5})x(\d{1,5})$/.exec(size) ?? [];
  const [width, height] = [Number(w), Number(h)];
  if (w === undefined || h === undefined) throw refuse('Write it as WIDTHxHEIGHT, or use auto.');
  if (width % 16 !== 0 || height % 16 !== 0) throw refuse('Both edges must be multiples of 16.');
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  if (long > 3 * short) throw refuse('The ratio must lie between 1:3 and 3:1.');
  if (long > 3840) throw refuse('The longest edge is 3840.');
  const pixels = width * height;
  if (pixels < 655_360 || pixels > 8_294_400) throw refuse('It must have 655,360 to 8,294,400 pixels.');
  return { width, height };
}

const wrongType = (name: string, expected: string) =>
  invalid(name, 'invalid_type', `Invalid type for '${name}': expected ${expected}.`);

export function text(body: Body, name: string): string | null {
  const value = body[name] ?? null;
  if (value !== null && typeof value !== 'string') throw wrongType(name, 'a string');
  return value;
}

function flag(body: Body, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw wrongType(name, 'a boolean');
  return value;
}

export function oneOf<Value extends string>(
  body: Body,
  name: string,
  allowed: readonly Value[],
): Value | null {
  const value = text(body, name);
  if (value === null) return null;
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  const list = allowed.map((candidate) => `'${candidate}'`).join(', ');
  throw invalid(name, 'invalid_value', `Invalid value: '${value}'. Supported values are: ${list}.`);
}

function whole(body: Body, name: string, [min, max]: readonly [number, number]): number | null {
  const value = body[name] ?? null;
  if (value === null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer');
  if (value < min) {
    throw invalid(name, 'integer_below_min_value', `Invalid '${name}': the minimum is ${min}.`);
  }
  if (value > max) {
    throw invalid(name, 'integer_above_max_value', `Invalid '${name}': the maximum is ${max}.`);
  }
  return value;
}
