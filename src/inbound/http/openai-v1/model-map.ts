import { type ModelCatalogue, statusOn } from '../../../domain/model-catalogue.ts';
import type { Clock } from '../../../domain/ports.ts';

/** Mapping of the model names that clients send to names of the catalogue. */
export interface ModelMap {
  /** Returns the name in the catalogue, or `undefined` for the default model of the deployment. */
  resolve(name: string): string | undefined;
  /** Returns whether a resolved model takes a value of `input_fidelity`. */
  takesFidelity(model: string | undefined, value: string): boolean;
}

/** Facts about the models of the catalogue. */
export interface NamedModels {
  /** Returns whether the catalogue has a model of that name that is not retired. */
  isUsable(name: string): boolean;
  /** Returns whether a model takes a value of `input_fidelity`. `undefined` is the default model of the deployment. */
  takesFidelity(name: string | undefined, value: string): boolean;
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
 */
export function createModelMap(entries: readonly ModelMapEntry[], models: NamedModels): ModelMap {
  const byName = new Map(entries.map(({ name, model }) => [name, model]));
  return {
    resolve(name) {
      const model = byName.get(name) ?? (models.isUsable(name) ? name : (byName.get(anyName) ?? name));
      return model === defaultModel ? undefined : model;
    },
    takesFidelity: models.takesFidelity,
  };
}

/** Returns the facts about the models of a catalogue, for `createModelMap`. */
export function modelsIn(
  catalogue: Pick<ModelCatalogue, 'find'>,
  options: { readonly clock: Clock; readonly defaultModel: string },
): NamedModels {
  return {
    isUsable(name) {
      const model = catalogue.find(name);
      return model !== undefined && statusOn(model, options.clock()) !== 'retired';
    },
    takesFidelity(name = options.defaultModel, value) {
      const model = catalogue.find(name);
      return model === undefined || model.input_fidelities.includes(value);
    },
  };
}
