import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CatalogueFile, type CatalogueModel } from '../../src/domain/catalogue-file.ts';
import { createCatalogue, type ModelCatalogue } from '../../src/domain/model-catalogue.ts';
import { readBuiltIn } from '../../src/lib/data-files.ts';

/** Returns the built-in catalogue. */
export function builtInCatalogue(): ModelCatalogue {
  return createCatalogue(CatalogueFile.parse(readBuiltIn('catalogue.json')));
}

/** Returns the built-in catalogue with changed rules of one model. */
export function catalogueWith(id: string, rules: Partial<CatalogueModel>): ModelCatalogue {
  const file = CatalogueFile.parse(readBuiltIn('catalogue.json'));
  const models = file.models.map((model) => (model.id === id ? { ...model, ...rules } : model));
  return createCatalogue({ ...file, models });
}

/** Writes the built-in catalogue with changed rules of all models to a folder. Returns its path. */
export async function writeCatalogue(folder: string, rules: Partial<CatalogueModel>): Promise<string> {
  const file = CatalogueFile.parse(readBuiltIn('catalogue.json'));
  const path = join(folder, 'catalogue.json');
  await writeFile(
    path,
    JSON.stringify({ ...file, models: file.models.map((model) => ({ ...model, ...rules })) }),
  );
  return path;
}
