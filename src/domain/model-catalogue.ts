import type { CatalogueFile, CatalogueModel } from './catalogue-file.ts';

/** The model catalogue: the models of a catalogue file by their names. */

export interface ModelCatalogue {
  readonly priceVersion: string;
  readonly models: readonly CatalogueModel[];
  /** Returns the model of a name or alias; `undefined` if the catalogue does not contain it. */
  find(name: string): CatalogueModel | undefined;
  /** Returns the prices of a language model; `null` if unknown. A dated version has the prices of the undated name. */
  textPrices(name: string): { text_in: number; text_out: number } | null;
}

/** Indexes a catalogue file. */
export function createCatalogue(file: CatalogueFile): ModelCatalogue {
  const byName = new Map<string, CatalogueModel>();
  for (const model of file.models) {
    for (const name of [model.id, ...model.aliases]) byName.set(name, model);
  }
  const textPrices = new Map(Object.entries(file.text_models));
  return {
    priceVersion: file.price_version,
    models: file.models,
    find: (name) => byName.get(name),
    textPrices: (name) =>
      textPrices.get(name) ?? textPrices.get(name.replace(/-\d{4}-\d{2}-\d{2}$/, '')) ?? null,
  };
}

/** Returns a model's status on a day. After its shutdown date the model is retired, even if the file differs. */
export function statusOn(model: CatalogueModel, nowMs: number): CatalogueModel['status'] {
  if (model.shutdown_at && Date.parse(model.shutdown_at) <= nowMs) return 'retired';
  return model.status;
}

/** Returns the correction of a value that is not among those that a model takes. */
export function correctionTo(values: readonly string[], { id }: CatalogueModel): string {
  return values.length > 0 ? `must be one of ${values.join(', ')}` : `${id} does not take this parameter`;
}
