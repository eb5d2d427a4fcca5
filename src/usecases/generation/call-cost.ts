import { costOfText, costOfUsage, sumCosts } from '../../domain/cost.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Spent } from '../../domain/ports.ts';

/** What the answer to a call for a picture cost, in micro-USD; `null` when it does not say, or a price is unknown. */
export function answerCost(
  job: ImageJob,
  { usage, carrier }: Spent,
  catalogue: ModelCatalogue,
): number | null {
  const picture = costOfUsage(usage, catalogue.find(job.request?.model ?? '')?.prices ?? null);
  if (!carrier) return picture;
  return sumCosts([picture, costOfText(carrier.usage, catalogue.textPrices(carrier.model))]);
}
