import { StudioRefusal } from './refusals.ts';

/** Sizes, qualities and token counts of one family of models. */
export type ModelFamily = {
  readonly qualities: readonly string[];
  /** True if any WxH within the limits is allowed, not only the three classic sizes. */
  readonly freeSizes: boolean;
  /** True if the model writes drawings (`output_format: svg`). */
  readonly makesSvg: boolean;
  /** Returns the image tokens of one image. */
  outputTokens(width: number, height: number, quality: string): number;
};

const RETIRED = new Set(['dall-e-2', 'dall-e-3', 'gpt-image-1']);

/** Ids listed by GET /models. Other names work too, except retired ones. */
export const MODEL_IDS = [
  'gpt-image-2.6-sunburst',
  'gpt-image-2.6-flare',
  'gpt-image-2.5-sunburst',
  'gpt-image-2.5-flare',
  'gpt-image-2',
  'gpt-image-1.5',
  'gpt-image-1-mini',
  'chatgpt-image-latest',
  'studio-writer',
] as const;

const GPT_IMAGE_2 = byFormula({ low: 16, medium: 48, high: 96 });
// Bounds of measured token counts: low and medium take up to four times those of 2.5, high and above the same.
const GPT_IMAGE_2_6 = withSvg(byFormula({ low: 34, medium: 48, high: 48, xhigh: 64, max: 96 }));
const GPT_IMAGE_2_5 = withSvg(byFormula({ low: 16, medium: 24, high: 48, xhigh: 64, max: 96 }));
// Published price of an image divided by the price of a token: square first, then 3:2 and 2:3.
const GPT_IMAGE_1_5 = byTable({ low: [281, 406], medium: [1063, 1563], high: [4156, 6250] });
const GPT_IMAGE_1_MINI = byTable({ low: [625, 750], medium: [1375, 1875], high: [4500, 6500] });

/**
 * Returns the family of a model name. An unknown name belongs to the newest family.
 * @throws StudioRefusal 404 for a model that was shut down.
 */
export function modelFamily(model: string): ModelFamily {
  if (RETIRED.has(model)) {
    throw new StudioRefusal(404, `The model '${model}' does not exist or was shut down.`, {
      code: 'model_not_found',
      param: 'model',
    });
  }
  if (/^gpt-image-2(-\d{4}-\d{2}-\d{2})?$/.test(model)) return GPT_IMAGE_2;
  if (/^(gpt-image-1\.5|chatgpt-image-latest)/.test(model)) return GPT_IMAGE_1_5;
  if (model.startsWith('gpt-image-1-mini')) return GPT_IMAGE_1_MINI;
  if (model.startsWith('gpt-image-2.5-')) return GPT_IMAGE_2_5;
  return GPT_IMAGE_2_6;
}

/**
 * Counts tokens by OpenAI's published formula for gpt-image-2 and 2.5: with L and S the longer and shorter edge,
 * s = floor((2fS + L) / 2L) and tokens = ceil(f * s * (2,000,000 + w*h) / 4,000,000).
 */
function byFormula(factors: Readonly<Record<string, number>>): ModelFamily {
  return {
    qualities: Object.keys(factors),
    freeSizes: true,
    makesSvg: false,
    outputTokens(width, height, quality) {
      const factor = factors[quality] ?? 0;
      const long = Math.max(width, height);
      const short = Math.min(width, height);
      const rows = Math.floor((2 * factor * short + long) / (2 * long));
      return Math.ceil((factor * rows * (2_000_000 + width * height)) / 4_000_000);
    },
  };
}

function withSvg(family: ModelFamily): ModelFamily {
  return { ...family, makesSvg: true };
}

function byTable(tokens: Readonly<Record<string, readonly [square: number, oblong: number]>>): ModelFamily {
  return {
    qualities: Object.keys(tokens),
    freeSizes: false,
    makesSvg: false,
    outputTokens: (width, height, quality) => tokens[quality]?.[width === height ? 0 : 1] ?? 0,
  };
}
