import type { Config } from '../config/config.ts';
import { CatalogueFile } from '../domain/catalogue-file.ts';
import { createCatalogue, type ModelCatalogue } from '../domain/model-catalogue.ts';
import type { Log } from '../domain/ports.ts';
import { createPresets, PresetFile, type Presets } from '../domain/preset.ts';
import { readBuiltIn, readOperatorFile } from '../lib/data-files.ts';

export interface Catalogues {
  readonly catalogue: ModelCatalogue;
  readonly presets: Presets;
  /** Reads the operator's files again. If a file is faulty, the values in use stay, and the log names its faults. */
  reload(): void;
}

/** Files of the operator that replace or extend built-in data. */
type Files = Pick<Config, 'CATALOGUE_FILE' | 'PRESETS_FILE'>;

/**
 * Reads the model catalogue and the presets, including the operator's files. A reload takes effect in everything that holds
 * the returned catalogue or presets, because they always read the latest data.
 *
 * @throws Error with the file and the location of every fault.
 */
export function readCatalogues(files: Files, log: Log): Catalogues {
  let catalogue = readCatalogue(files);
  let presets = readPresets(files);
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
        log.info({ price_version: priceVersion, models: models.length }, 'catalogue and presets reloaded');
      } catch (error) {
        log.error({ err: error }, 'catalogue and presets not reloaded, the previous ones stay in use');
      }
    },
  };
}

function readCatalogue({ CATALOGUE_FILE }: Files): ModelCatalogue {
  return createCatalogue(
    CATALOGUE_FILE
      ? readOperatorFile(CATALOGUE_FILE, CatalogueFile)
      : CatalogueFile.parse(readBuiltIn('catalogue.json')),
  );
}

function readPresets({ PRESETS_FILE }: Files): Presets {
  return createPresets([
    PresetFile.parse(readBuiltIn('presets.json')),
    ...(PRESETS_FILE ? [readOperatorFile(PRESETS_FILE, PresetFile)] : []),
  ]);
}
