import type { ImageStorage } from '../../domain/ports.ts';
import type { ValuesOf, VariableSet } from '../../lib/variable.ts';

export const storageSection = 'Storage';

/** Dependencies that every storage receives. A storage uses the ones it needs. */
export interface StorageDeps {
  /** Folder of the deployment's data (DATA_DIR). */
  readonly dataDir: string;
  /** Signs links to files that this service serves, at least 32 bytes. */
  readonly signingKey: Buffer;
  /** Returns the proxy for an address, if any. */
  readonly proxyFor: (address: string) => string | undefined;
}

/** A storage that holds resources until it is closed. */
export type OpenStorage = ImageStorage & { close(): Promise<void> };

/** An entry of the storage registry. */
export interface StorageDefinition<Set extends VariableSet> {
  /** Value of STORAGE that selects this storage. */
  readonly name: string;
  /** Environment variables of this storage. */
  readonly variables: Set;
  /** Opens the storage. Makes no network call. */
  readonly create: (values: ValuesOf<Set>, deps: StorageDeps) => OpenStorage;
  /** Returns the faults of the configuration, each as `NAME: reason`. Variables of an unselected storage may be absent. */
  readonly check: (values: ValuesOf<Set>, options: { isSelected: boolean }) => string[];
  /** Returns the address of the storage service; `undefined` for a local storage. */
  readonly endpoint: (values: ValuesOf<Set>) => string | undefined;
  /** Returns the origins of links to images, besides this service. Content security policies of pages name them. */
  readonly linkOrigins: (values: ValuesOf<Set>) => readonly string[];
  /** Returns the location of the images in a few words, without secrets. */
  readonly describe: (values: ValuesOf<Set>, deps: Pick<StorageDeps, 'dataDir'>) => string;
}

/** Returns the definition with its literal types. */
export const defineStorage = <Set extends VariableSet, const Definition extends StorageDefinition<Set>>(
  definition: Definition & { readonly variables: Set },
): Definition => definition;
