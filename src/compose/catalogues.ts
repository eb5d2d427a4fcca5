import type { Config } from '../config/config.ts';
import { type ModelValues, modelFaults, readCatalogue } from '../config/model-faults.ts';
import { type ModelCatalogue, statusOn } from '../domain/model-catalogue.ts';
import type { Clock, Log } from '../domain/ports.ts';
import { createPresets, type Preset, PresetFile, type Presets } from '../domain/preset.ts';
import { presetFaults } from '../domain/preset-faults.ts';
import { readBuiltIn, readOperatorFile } from '../lib/data-files.ts';

export interface Catalogues {
  readonly catalogue: ModelCatalogue;
  readonly presets: Presets;
  /** Reads the operator's files again. If a file is faulty, the values in use stay, and the log names its faults. */
  reload(): void;
}

/** Files of the operator that replace or extend built-in data, and the variables that name models of them. */
type Files = ModelValues & Pick<Config, 'PRESETS_FILE'>;

/**
 * Reads the model catalogue and the presets, including the operator's files. A reload takes effect in everything that holds
 * the returned catalogue or presets, because they always read the latest data.
 *
 * @throws Error with the file and the location of every fault.
 */
export function readCatalogues(files: Files, log: Log, clock: Clock): Catalogues {
  let catalogue = readCatalogue(files);
  let presets = readPresets(files);
  const warn = () => {
    for (const fault of currentFaults(files, catalogue, clock()))
      log.warn({ fault }, 'configured model not usable, requests that need it are refused');
  };
  warn();
  return {
    catalogue: {
      get priceVersion() {
        return catalogue.priceVersion;
      },
      get models() {
        return catalogue.models;
      },
      find: (name) => catalogue.find(name),
      textPrices: (name) => catalogue.textPrices(name),
    },
    presets: {
      get all() {
        return presets.all;
      },
      choose: (choice) => presets.choose(choice),
    },
    reload() {
      try {
        const next = { catalogue: readCatalogue(files), presets: readPresets(files) };
        ({ catalogue, presets } = next);
        const { priceVersion, models } = catalogue;
        warn();
        log.info({ price_version: priceVersion, models: models.length }, 'catalogue and presets reloaded');
      } catch (error) {
        log.error({ err: error }, 'catalogue and presets not reloaded, the previous ones stay in use');
      }
    },
  };
}

/**
 * Returns the faults of variables and of the operator's presets that name models, including models that are shut down by
 * now. A built-in preset may not fit the models of the operator, who cannot change it.
 */
export function currentFaults(values: Files, catalogue: ModelCatalogue, nowMs: number): string[] {
  const { DEFAULT_MODEL: defaultModel, ALLOW_UNKNOWN_MODELS: allowUnknownModels } = values;
  return [
    ...modelFaults(values, catalogue, (model) => statusOn(model, nowMs) === 'retired'),
    ...presetFaults(ownPresets(values), catalogue, { defaultModel, allowUnknownModels, nowMs }),
  ];
}

const readPresets = (files: Files): Presets =>
  createPresets([PresetFile.parse(readBuiltIn('presets.json')), { presets: ownPresets(files) }]);

function ownPresets({ PRESETS_FILE }: Pick<Files, 'PRESETS_FILE'>): Preset[] {
  return PRESETS_FILE ? readOperatorFile(PRESETS_FILE, PresetFile).presets : [];
}
