import type { Config } from '../config/config.ts';
import { createEstimate, type Estimate } from '../domain/estimate.ts';
import type { ModelCatalogue } from '../domain/model-catalogue.ts';
import type { TokenSampleStore } from '../domain/ports.ts';

/** Builds the function that estimates costs from the catalogue and the tokens of earlier images. */
export function composeEstimate(
  config: Config,
  catalogue: ModelCatalogue,
  samples: Pick<TokenSampleStore, 'find'>,
): Estimate {
  return createEstimate({
    catalogue,
    enhanceModel: config.ENHANCE_MODEL,
    hostModel: config.OPENAI_MODE === 'responses' ? config.RESPONSES_MODEL : undefined,
    findSamples: samples.find,
  });
}
