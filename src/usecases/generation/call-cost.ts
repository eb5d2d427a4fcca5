import { costOfText, costOfUsage, sumCosts } from '../../domain/cost.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Spent } from '../../domain/ports.ts';

/** Returns the cost of a call for an image in micro-USD. `null` if the usage or a price is unknown. */
export function callCost(
  job: ImageJob,
  { usage, hostModel }: Spent,
  catalogue: ModelCatalogue,
): number | null {
  const image = costOfUsage(usage, catalogue.find(job.request?.model ?? '')?.prices ?? null);
  if (!hostModel) return image;
  return sumCosts([image, costOfText(hostModel.usage, catalogue.textPrices(hostModel.model))]);
}
