import { costOfText, outputTokens, promptTokens, sumCosts } from './cost.ts';
import { type ImageRequest, wantsEnhancement } from './image-request.ts';
import { type ModelCatalogue, parseSize } from './model-catalogue.ts';

/** What `auto` most often turns out to be; estimates have to assume something and are marked as estimates. */
const assumedQuality = 'medium';
const assumedSize = { width: 1024, height: 1024 };
/** What a language model is told besides the prompt, and what it writes: rather more than most descriptions take. */
const assumedInstructionTokens = 400;
const assumedDescriptionTokens = 500;

/** What decides the price of a request besides itself. */
export interface EstimateContext {
  /** What a preset puts around the prompt. */
  readonly promptTemplate?: readonly string[] | undefined;
  /** The language model that writes descriptions. */
  readonly enhanceModel: string;
}

/**
 * What a request will probably cost in micro-USD: the published token formula for every image, plus its whole prompt,
 * plus the description where one is to be written. `null` when a model, its prices or the factor of the quality are unknown.
 */
export function estimateCost(
  request: ImageRequest,
  catalogue: ModelCatalogue,
  { promptTemplate, enhanceModel }: EstimateContext,
): number | null {
  const prompt = promptTokens(request.prompt);
  if (!wantsEnhancement(request))
    return costOfImages(request, catalogue, prompt + frameTokens(promptTemplate));
  const usage = { input_tokens: assumedInstructionTokens + prompt, output_tokens: assumedDescriptionTokens };
  return sumCosts([
    costOfText(usage, catalogue.textPrices(enhanceModel)),
    costOfImages(request, catalogue, assumedDescriptionTokens + frameTokens(promptTemplate)),
  ]);
}

const frameTokens = (promptTemplate: readonly string[] | undefined) =>
  promptTokens(promptTemplate?.join('') ?? '');

function costOfImages(request: ImageRequest, catalogue: ModelCatalogue, textTokens: number): number | null {
  const model = catalogue.find(request.model);
  const quality =
    request.quality === undefined || request.quality === 'auto' ? assumedQuality : request.quality;
  const factor = model?.token_factors?.[quality];
  if (!model?.prices || factor === undefined) return null;
  const { width, height } = parseSize(request.size) ?? assumedSize;
  const perImage =
    outputTokens(factor, width, height) * model.prices.image_out + textTokens * model.prices.text_in;
  return Math.round(perImage * request.n);
}
