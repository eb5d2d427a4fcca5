import type { Config } from '../config/config.ts';
import { storageNamed } from '../outbound/storage/registry.ts';
import { clock } from './clock.ts';

/** Opens the storage that the configuration selects. */
export function composeStorage(config: Config, signingKey: Buffer) {
  return storageNamed(config.STORAGE).create(config, { dataDir: config.DATA_DIR, signingKey, clock });
}

/** Returns the location of the images in a few words, without secrets. */
export function describeStorage(config: Config): string {
  return storageNamed(config.STORAGE).describe(config, { dataDir: config.DATA_DIR });
}
