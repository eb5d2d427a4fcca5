import {
  type CallBounds,
  costOfText,
  inputTokens,
  maxInputTokens,
  outputTokens,
  promptTokens,
} from './cost.ts';
import { type ImageRequest, wantsEnhancement } from './image-request.ts';
import type { JobInput } from './input-image.ts';
import { type CatalogueModel, type ModelCatalogue, parseSize } from './model-catalogue.ts';

/** Tokens of the instructions that a language model gets besides the prompt. */
const instructionTokens = 400;
/** Tokens of a description that a language model writes: few, and more than it ever writes in practice. */
const descriptionTokens = { low: 100, high: 500 };
/** No natural text has more than twice the tokens of the rough count. */
const maxTextFactor = 2;

/** Bounds of a cost in micro-USD. */
export interface CostRange {
  readonly low: number;
  /** Upper bound for one attempt of each image. Caps and holds compare with it. */
  readonly high: number;
  /** The calls of which `high` is the sum. */
  readonly calls: CallBounds;
}

/** Facts besides the request that decide its price. */
export interface EstimateContext {
  /** Texts that a preset puts around the prompt. */
  readonly promptTemplate?: readonly string[] | undefined;
  /** The language model that writes descriptions. */
  readonly enhanceModel: string;
  /** Inputs of an edit. Each call for an image is charged for all of them. */
  readonly inputs?: readonly Pick<JobInput, 'role' | 'width' | 'height'>[] | undefined;
}

/**
 * Estimates the cost of a request by the published token formula, with its prompt and, if requested, its description. If
 * quality or size are left to the model, the range covers everything that the model may choose.
 *
 * @returns `null` if a model, its prices or the token factor of its quality are unknown.
 */
export function estimateCost(
  request: ImageRequest,
  catalogue: ModelCatalogue,
  context: EstimateContext,
): CostRange | null {
  const known = { ...context, catalogue };
  const low = costOfCalls('low', request, known);
  const high = costOfCalls('high', request, known);
  if (!low || !high) return null;
  const image = Math.ceil(high.image);
  const enhance = Math.ceil(high.enhance);
  return {
    low: Math.round(request.n * low.image + low.enhance),
    high: request.n * image + enhance,
    calls: { image, ...(enhance > 0 ? { enhance } : {}) },
  };
}

type Bound = 'low' | 'high';

/** Returns the cost of one call for an image, and of the call for the description (0 if none is requested). */
function costOfCalls(
  bound: Bound,
  request: ImageRequest,
  {
    catalogue,
    promptTemplate,
    enhanceModel,
    inputs = [],
  }: EstimateContext & { readonly catalogue: ModelCatalogue },
): Required<CallBounds> | null {
  const model = catalogue.find(request.model);
  const imageTokens = model && tokensOfImage(bound, request, model);
  if (!model?.prices || !imageTokens) return null;
  const isEnhanced = wantsEnhancement(request);
  const prompt = textTokens(bound, request.prompt);
  // If the expansion fails, the model gets the original prompt.
  const described = Math[bound === 'low' ? 'min' : 'max'](descriptionTokens[bound], prompt);
  const text = (isEnhanced ? described : prompt) + textTokens(bound, promptTemplate?.join('') ?? '');
  const image =
    imageTokens * model.prices.image_out +
    text * model.prices.text_in +
    tokensOfInputs(bound, inputs) * model.prices.image_in;
  const usage = { input_tokens: instructionTokens + prompt, output_tokens: descriptionTokens[bound] };
  const enhance = isEnhanced ? costOfText(usage, catalogue.textPrices(enhanceModel)) : 0;
  return enhance === null ? null : { image, enhance };
}

/** Returns the fewest or most tokens of inputs. The lower bound ignores overlays and inputs that are not fetched yet. */
function tokensOfInputs(bound: Bound, inputs: NonNullable<EstimateContext['inputs']>): number {
  if (bound === 'high') return inputs.length * maxInputTokens;
  return inputs.reduce((sum, { role, width, height }) => {
    const isKnown = role === 'image' && width !== undefined && height !== undefined;
    return isKnown ? sum + inputTokens(width, height) : sum;
  }, 0);
}

function textTokens(bound: Bound, text: string): number {
  return promptTokens(text) * (bound === 'high' ? maxTextFactor : 1);
}

/** Returns the fewest or most output tokens of one image; `null` if a factor is unknown. */
function tokensOfImage(bound: Bound, request: ImageRequest, model: CatalogueModel): number | null {
  // The token formula covers still images only.
  if (['gif', 'svg'].includes(request.output_format ?? '')) return null;
  const partialTokens = partialTokensOf(bound, request, model);
  const factors = qualitiesOf(request.quality, model).map((quality) => model.token_factors?.[quality]);
  const tokens = factors.flatMap((factor) =>
    sizesOf(request.size, model).map(({ width, height }) =>
      factor === undefined ? Number.NaN : outputTokens(factor, width, height),
    ),
  );
  if (partialTokens === null || tokens.length === 0 || tokens.some(Number.isNaN)) return null;
  return partialTokens + (bound === 'low' ? Math.min(...tokens) : Math.max(...tokens));
}

/** Returns the tokens of the previews of one image. The provider may send fewer previews than requested. */
function partialTokensOf(bound: Bound, { partial_images = 0 }: ImageRequest, model: CatalogueModel) {
  if (partial_images === 0 || bound === 'low') return 0;
  return model.partial_images === null ? null : partial_images * model.partial_images.tokens;
}

const isOpen = (value: string | undefined) => value === undefined || value === 'auto';

/** Returns the qualities of which the model may choose one. */
function qualitiesOf(quality: string | undefined, model: CatalogueModel): readonly string[] {
  if (quality !== undefined && !isOpen(quality)) return [quality];
  return model.auto_qualities ?? Object.keys(model.token_factors ?? {});
}

/** Returns the sizes of which the model may choose one. */
function sizesOf(size: string, model: CatalogueModel): { width: number; height: number }[] {
  const sizes = isOpen(size) ? model.sizes : [size];
  const edges = sizes.flatMap((each) => parseSize(each) ?? []);
  return edges.length > 0 ? edges : [{ width: 1024, height: 1024 }];
}
