import { type ModelCatalogue, statusOn } from '../../../domain/model-catalogue.ts';
import type { Clock } from '../../../domain/ports.ts';

/** Names of models that clients send, and the model that each one gets. */
export interface ModelMap {
  /** Returns the catalogue name to use; `undefined` for the default model of the deployment. */
  resolve(name: string): string | undefined;
}

/** One entry of `V1_MODEL_MAP`: `*` as name stands for every name without an entry. */
export type ModelMapEntry = { readonly name: string; readonly model: string };

const anyName = '*';
const defaultModel = 'default';

/**
 * Creates the model map of a deployment. A name with an entry is mapped. Other names that the catalogue knows as usable
 * stay as they are. The remaining names are mapped by the entry `*` if there is one, and otherwise stay as they are, so
 * that the catalogue refuses them.
 *
 * @param isUsable whether the catalogue has a model of that name that is not retired.
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
