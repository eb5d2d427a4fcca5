import { CatalogueFile, createCatalogue, type ModelCatalogue } from '../../src/domain/model-catalogue.ts';
import { readBuiltIn } from '../../src/lib/data-files.ts';

/** Returns the built-in catalogue. */
export function builtInCatalogue(): ModelCatalogue {
  return createCatalogue(CatalogueFile.parse(readBuiltIn('catalogue.json')));
}
