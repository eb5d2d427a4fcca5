import { costOfText, costOfUsage, sumCosts } from '../../domain/cost.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { Spent } from '../../domain/ports.ts';

/** Returns the cost of a call for an image in micro-USD. `null` if the usage or a price is unknown. */
export function callCost(
  { model, kind }: { readonly model: string | undefined; readonly kind: string },
  { usage, hostModel }: Spent,
  catalogue: ModelCatalogue,
): number | null {
  const prices = catalogue.find(model ?? '')?.prices ?? null;
  const image = costOfUsage(usage, prices, { hasImages: kind === 'edit' });
  if (!hostModel) return image;
  return sumCosts([image, costOfText(hostModel.usage, catalogue.textPrices(hostModel.model))]);
}
