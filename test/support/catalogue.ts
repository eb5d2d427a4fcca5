import { CatalogueFile, createCatalogue, type ModelCatalogue } from '../../src/domain/model-catalogue.ts';
import { readBuiltIn } from '../../src/lib/data-files.ts';

/** The catalogue that comes with the program. */
export function builtInCatalogue(): ModelCatalogue {
  return createCatalogue(CatalogueFile.parse(readBuiltIn('catalogue.json')));
}
