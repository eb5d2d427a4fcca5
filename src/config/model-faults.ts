import { CatalogueFile, type CatalogueModel } from '../domain/catalogue-file.ts';
import { createCatalogue, type ModelCatalogue } from '../domain/model-catalogue.ts';
import { nearestName } from '../domain/nearest-name.ts';
import { readBuiltIn, readOperatorFile } from '../lib/data-files.ts';
import type { ValuesOf } from '../lib/variable.ts';
import type { variables } from './variables.ts';

/** Variables that name models, or values of models. */
export type ModelValues = Pick<
  ValuesOf<typeof variables>,
  'CATALOGUE_FILE' | 'DEFAULT_MODEL' | 'DEFAULT_QUALITY' | 'V1_MODEL_MAP' | 'ALLOW_UNKNOWN_MODELS'
>;

/** Target in `V1_MODEL_MAP` that stands for `DEFAULT_MODEL`. */
const defaultTarget = 'default';

/** Names the variable, because a fault of the file can cause the others. */
const catalogueName = 'catalogue (built-in, or CATALOGUE_FILE)';

/** Reads the catalogue of the operator or the built-in one. @throws Error with the file and the location of every fault. */
export function readCatalogue({ CATALOGUE_FILE }: Pick<ModelValues, 'CATALOGUE_FILE'>): ModelCatalogue {
  return createCatalogue(
    CATALOGUE_FILE
      ? readOperatorFile(CATALOGUE_FILE, CatalogueFile)
      : CatalogueFile.parse(readBuiltIn('catalogue.json')),
  );
}

/**
 * Returns a fault for every variable that names a model or a quality that no request can use.
 *
 * @param isRetired whether a model of the catalogue accepts no request.
 */
export function modelFaults(
  config: ModelValues,
  catalogue: ModelCatalogue,
  isRetired: (model: CatalogueModel) => boolean,
): string[] {
  const usable = catalogue.models.filter((model) => !isRetired(model));
  const names = usable.flatMap(({ id, aliases }) => [id, ...aliases]);
  const faultOf = (variable: string, name: string): string[] => {
    const model = catalogue.find(name);
    if (model && !isRetired(model)) return [];
    if (model) return [`${variable}: ${name} is retired. Set ${model.successor ?? 'another model'}`];
    if (config.ALLOW_UNKNOWN_MODELS) return [];
    const nearest = nearestName(name, names);
    const action = nearest ? `Did you mean ${nearest}?` : `Set one of ${names.join(', ')}`;
    return [
      `${variable}: ${name} is not in the ${catalogueName}, and ALLOW_UNKNOWN_MODELS is off. ${action}`,
    ];
  };
  const { DEFAULT_MODEL, DEFAULT_QUALITY: quality, V1_MODEL_MAP = [] } = config;
  const targets = new Set(V1_MODEL_MAP.map(({ model }) => model).filter((model) => model !== defaultTarget));
  const qualities = new Set(usable.flatMap((model) => model.qualities));
  return [
    // It is absent if its value is faulty.
    ...(DEFAULT_MODEL === undefined ? [] : faultOf('DEFAULT_MODEL', DEFAULT_MODEL)),
    ...[...targets].flatMap((target) => faultOf('V1_MODEL_MAP', target)),
    ...(quality === undefined || qualities.has(quality)
      ? []
      : [
          `DEFAULT_QUALITY: no model of the ${catalogueName} has ${quality}. Set one of ${[...qualities].join(', ')}`,
        ]),
  ];
}
