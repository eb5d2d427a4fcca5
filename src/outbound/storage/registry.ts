import { filesystem } from './filesystem/filesystem.ts';
import { s3 } from './s3/s3.ts';

export { storageSection } from './storage-definition.ts';

/** Every storage that STORAGE can select. A new storage is one folder and one line here. */
export const storages = [filesystem, s3] as const;

export type StorageName = (typeof storages)[number]['name'];

export const storageNames = storages.map(({ name }) => name) as [StorageName, ...StorageName[]];

/** The environment variables of all storages. */
export const storageVariables = { ...filesystem.variables, ...s3.variables };

/** Returns the storage of a name. */
export function storageNamed(name: StorageName): (typeof storages)[number] {
  const found = storages.find((storage) => storage.name === name);
  if (!found) throw new Error(`unknown storage ${name}`);
  return found;
}
