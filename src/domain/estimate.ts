import { type CatalogueModel, parseSize } from './catalogue-file.ts';
import {
  type CallBounds,
  costOfText,
  inputTokens,
  maxInputTokens,
  maxTextTokens,
  outputTokens,
  promptTokens,
  type TokenPrices,
  textOverheadTokens,
} from './cost.ts';
import { type ImageRequest, wantsEnhancement } from './image-request.ts';
import type { JobInput } from './input-image.ts';
import type { ModelCatalogue } from './model-catalogue.ts';
import {
  type FindSamples,
  maxSampleTokens,
  sampleKind,
  type TokenSample,
  type TokenSamples,
} from './token-samples.ts';

/** Tokens of the instructions that a language model gets besides the prompt. */
const instructionTokens = 400;
/** Tokens of a description that a language model writes: few, and the token limit of the call. */
const descriptionTokens = { low: 100, high: 2_000 };
/** Tokens of the host model besides the prompt and the inputs: its tools, and the call of the image tool. */
const hostTokens = { input: 2_000, output: 1_000 };

/** Bounds of a number of tokens or of a cost in micro-USD. */
interface Range {
  readonly low: number;
  readonly high: number;
}

const nothing: Range = { low: 0, high: 0 };

/** Expected cost in micro-USD. */
export interface CostRange {
  /** Typical cost if images of the same kind were generated before, otherwise a lower bound. */
  readonly low: number;
  /** Upper bound for one attempt of each image. Caps and holds compare with it. */
  readonly high: number;
  /** The calls of which `high` is the sum. */
  readonly calls: CallBounds;
}

/** Facts besides the request that decide its price. */
export interface EstimateFacts {
  /** Texts that a preset puts around the prompt. */
  readonly promptTemplate?: readonly string[] | undefined;
  /** Inputs of an edit. Each call for an image is charged for all of them. */
  readonly inputs?: readonly Pick<JobInput, 'role' | 'width' | 'height'>[] | undefined;
}

/**
 * Estimates the cost of a request, with its prompt and, if requested, its description and previews. Moderation is free. If
 * quality or size are left to the model, the range covers everything that the model may choose. Images of the same kind that
 * were generated before may raise the upper bound and never lower it. Their median replaces the lower bound.
 *
 * @returns `null` if a model, its prices or the tokens of its quality are unknown.
 */
export type Estimate = (request: ImageRequest, facts?: EstimateFacts) => CostRange | null;

interface Deps {
  readonly catalogue: ModelCatalogue;
  /** The language model that writes descriptions. */
  readonly enhanceModel: string;
  /** The language model that runs the image tool, if one does. */
  readonly hostModel?: string | undefined;
  /** Tokens of earlier images. Default: none are known. */
  readonly findSamples?: FindSamples | undefined;
}

/** Creates the function that estimates costs. */
export function createEstimate({ catalogue, enhanceModel, hostModel, findSamples }: Deps): Estimate {
  return (request, { promptTemplate, inputs = [] } = {}) => {
    const model = catalogue.find(request.model);
    const output = model && rangeOfOutput(request, model);
    // The input images of models without a formula are counted by rules that are unknown here.
    if (!model?.prices || !output || (model.output_tokens && inputs.length > 0)) return null;
    const seen = findSamples?.(sampleKind(model.id, request, inputs));
    const prompt = rangeOfText(request.prompt);
    const isEnhanced = wantsEnhancement(request);
    const template = promptTemplate ? rangeOfText(promptTemplate.join('')) : nothing;
    const text = sumOf(isEnhanced ? describedOr(prompt) : prompt, template);
    const host =
      hostModel === undefined ? nothing : costOfHost(text, inputs.length, catalogue.textPrices(hostModel));
    const description = isEnhanced ? costOfDescription(prompt, catalogue.textPrices(enhanceModel)) : nothing;
    if (host === null || description === null) return null;
    const tokens = { output, text, inputs: rangeOfInputs(inputs), host };
    const perImage = priceImage(seen ? withSamples(tokens, seen) : tokens, model.prices);
    const image = Math.ceil(perImage.high);
    const enhance = Math.ceil(description.high);
    return {
      low: Math.round(request.n * perImage.low + description.low),
      high: request.n * image + enhance,
      calls: { image, ...(enhance > 0 ? { enhance } : {}) },
    };
  };
}

/** Returns the bounds of an enhancement, which is one call for a description; `null` if the price is unknown. */
export function estimateEnhancement(prompt: string, prices: TextPrices): CostRange | null {
  const cost = costOfDescription(rangeOfText(prompt), prices);
  if (!cost) return null;
  const high = Math.ceil(cost.high);
  return { low: Math.round(cost.low), high, calls: { image: 0, enhance: high } };
}

/** The parts of an image's price: tokens, and the cost of the host model. */
interface ImageTokens {
  readonly output: Range;
  readonly text: Range;
  readonly inputs: Range;
  readonly host: Range;
}

/** Raises the upper bounds to the maximum of earlier images, and sets the lower bounds to their median. */
function withSamples(
  { output, text, inputs, host }: ImageTokens,
  { median, max }: TokenSamples,
): ImageTokens {
  return {
    output: { low: median.output, high: Math.max(output.high, max.output) },
    inputs: { low: median.inputImages, high: Math.max(inputs.high, max.inputImages) },
    // The typical number of text tokens is counted in the text itself.
    text: { low: text.low, high: Math.max(text.high, textOf(text, max)) },
    host: { low: median.hostMicroUsd, high: Math.max(host.high, max.hostMicroUsd) },
  };
}

/** A short text with many tokens besides its own would multiply the bound of a long one, so no bound is above every sample. */
const textOf = ({ low }: Range, { textFactor }: TokenSample): number =>
  Math.min(maxSampleTokens, (low + textOverheadTokens) * textFactor);

function priceImage({ output, text, inputs, host }: ImageTokens, prices: TokenPrices): Range {
  const price = (bound: keyof Range) =>
    output[bound] * prices.image_out +
    text[bound] * prices.text_in +
    inputs[bound] * prices.image_in +
    host[bound];
  return { low: price('low'), high: price('high') };
}

type TextPrices = ReturnType<ModelCatalogue['textPrices']>;

/** Returns the cost of the description of a prompt; `null` if the price is unknown. */
function costOfDescription(prompt: Range, prices: TextPrices): Range | null {
  const cost = (bound: keyof Range) =>
    costOfText(
      { input_tokens: instructionTokens + prompt[bound], output_tokens: descriptionTokens[bound] },
      prices,
    );
  return rangeOrNull(cost('low'), cost('high'));
}

/** Returns the cost of the host model that runs the image tool once; `null` if the price is unknown. */
function costOfHost(text: Range, inputs: number, prices: TextPrices): Range | null {
  const input_tokens = hostTokens.input + text.high + inputs * maxInputTokens;
  return rangeOrNull(
    costOfText({ input_tokens: text.low, output_tokens: 0 }, prices),
    costOfText({ input_tokens, output_tokens: hostTokens.output + text.high }, prices),
  );
}

const rangeOrNull = (low: number | null, high: number | null): Range | null =>
  low === null || high === null ? null : { low, high };

/** Returns the tokens of a description, or of the prompt, which the image model gets if the expansion fails. */
const describedOr = (prompt: Range): Range => ({
  low: Math.min(descriptionTokens.low, prompt.low),
  high: Math.max(descriptionTokens.high, prompt.high),
});

const sumOf = (a: Range, b: Range): Range => ({ low: a.low + b.low, high: a.high + b.high });

const rangeOfText = (text: string): Range => ({ low: promptTokens(text), high: maxTextTokens(text) });

/** Returns the fewest and most tokens of inputs. The fewest ignore overlays and inputs that are not fetched yet. */
function rangeOfInputs(inputs: NonNullable<EstimateFacts['inputs']>): Range {
  const low = inputs.reduce((sum, { role, width, height }) => {
    const isKnown = role === 'image' && width !== undefined && height !== undefined;
    return isKnown ? sum + inputTokens(width, height) : sum;
  }, 0);
  return { low, high: inputs.length * maxInputTokens };
}

const isUncounted = ({ output_format: format }: ImageRequest): boolean =>
  format === 'gif' || format === 'svg';

/** Returns what makes the cost of a request unknown, and what the caller can request instead. */
export function unknownCostOf(request: ImageRequest): { readonly subject: string; readonly remedy: string } {
  return isUncounted(request)
    ? { subject: `output_format ${request.output_format}`, remedy: 'Request png, jpeg or webp' }
    : { subject: request.model, remedy: 'Name another model or quality' };
}

/** Returns the fewest and most output tokens of one image; `null` if they are unknown. */
function rangeOfOutput(request: ImageRequest, model: CatalogueModel): Range | null {
  // The counts of tokens are those of still images.
  if (isUncounted(request)) return null;
  const previews = tokensOfPreviews(request, model);
  const sizes = sizesOf(request.size, model);
  const tokens = qualitiesOf(request.quality, model).flatMap((quality) =>
    sizes.map((size) => tokensOfImage(model, quality, size)),
  );
  if (previews === null || tokens.length === 0 || tokens.some((each) => each === undefined)) return null;
  const known = tokens.filter((each) => each !== undefined);
  // The provider may send fewer previews than requested.
  return { low: Math.min(...known), high: previews + Math.max(...known) };
}

/** Returns the output tokens of an image, by the formula of its model or by the published list; `undefined` if unknown. */
function tokensOfImage(model: CatalogueModel, quality: string, size: string): number | undefined {
  const factor = model.token_factors?.[quality];
  const edges = parseSize(size);
  if (factor === undefined || !edges) return model.output_tokens?.[quality]?.[size];
  return outputTokens(factor, edges.width, edges.height);
}

/** Returns the most tokens of the previews of one image; `null` if the model sends none. */
function tokensOfPreviews({ partial_images = 0 }: ImageRequest, { partial_images: rules }: CatalogueModel) {
  if (partial_images === 0) return 0;
  return rules === null ? null : partial_images * rules.tokens;
}

const isOpen = (value: string | undefined) => value === undefined || value === 'auto';

/** Returns the qualities of which the model may choose one. */
function qualitiesOf(quality: string | undefined, model: CatalogueModel): readonly string[] {
  if (quality !== undefined && !isOpen(quality)) return [quality];
  return model.auto_qualities ?? Object.keys(model.token_factors ?? model.output_tokens ?? {});
}

/** Returns the sizes of which the model may choose one. */
function sizesOf(size: string, model: CatalogueModel): readonly string[] {
  const sizes = (isOpen(size) ? model.sizes : [size]).filter((each) => parseSize(each));
  return sizes.length > 0 ? sizes : ['1024x1024'];
}
