import { outputTokens, promptTokens } from './cost.ts';
import type { ImageRequest } from './image-request.ts';
import { type ModelCatalogue, parseSize } from './model-catalogue.ts';

/** What `auto` most often turns out to be; estimates have to assume something and are marked as estimates. */
const assumedQuality = 'medium';
const assumedSize = { width: 1024, height: 1024 };

/**
 * What a request will probably cost in micro-USD: the published token formula for every picture, plus the prompt.
 * `null` when the model, its prices or the factor of the quality are unknown.
 */
export function estimateCost(request: ImageRequest, catalogue: ModelCatalogue): number | null {
  const model = catalogue.find(request.model);
  const quality =
    request.quality === undefined || request.quality === 'auto' ? assumedQuality : request.quality;
  const factor = model?.token_factors?.[quality];
  if (!model?.prices || factor === undefined) return null;
  const { width, height } = parseSize(request.size) ?? assumedSize;
  const perPicture =
    outputTokens(factor, width, height) * model.prices.image_out +
    promptTokens(request.prompt) * model.prices.text_in;
  return Math.round(perPicture * request.n);
}
