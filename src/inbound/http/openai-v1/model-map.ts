import { type ModelCatalogue, statusOn } from '../../../domain/model-catalogue.ts';
import type { Clock } from '../../../domain/ports.ts';

/** Mapping of the model names that clients send to names of the catalogue. */
export interface ModelMap {
  /** Returns the name in the catalogue, or `undefined` for the default model of the deployment. */
  resolve(name: string): string | undefined;
}

/** Entry of `V1_MODEL_MAP`. The name `*` matches every name without an entry. */
export type ModelMapEntry = { readonly name: string; readonly model: string };

const anyName = '*';
const defaultModel = 'default';

/**
 * Creates the model map of a deployment. Names resolve by the first rule that applies:
 *
 * 1. A name with an entry maps to the model of the entry.
 * 2. A name of a usable model in the catalogue stays unchanged.
 * 3. Any other name maps to the model of the entry `*`, if that entry exists.
 * 4. Any other name stays unchanged, so that the catalogue refuses it.
 *
 * @param isUsable returns whether the catalogue has a model of that name that is not retired.
 */
export function createModelMap(
  entries: readonly ModelMapEntry[],
  isUsable: (name: string) => boolean,
): ModelMap {
  const byName = new Map(entries.map(({ name, model }) => [name, model]));
  return {
    resolve(name) {
      const model = byName.get(name) ?? (isUsable(name) ? name : (byName.get(anyName) ?? name));
      return model === defaultModel ? undefined : model;
    },
  };
}

/** Returns whether the catalogue has a model of a name that is not retired now, for `createModelMap`. */
export function usableIn(catalogue: Pick<ModelCatalogue, 'find'>, clock: Clock): (name: string) => boolean {
  return (name) => {
    const model = catalogue.find(name);
    return model !== undefined && statusOn(model, clock()) !== 'retired';
  };
}
