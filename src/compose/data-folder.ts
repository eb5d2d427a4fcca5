import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../config/config.ts';
import { systemCode } from '../lib/system-code.ts';

/**
 * Creates the data folder and its missing parents. Each is created alone, because a recursive `mkdir` never ends in file
 * systems that report a missing parent for a folder that cannot be created, such as `/proc`.
 *
 * @throws ConfigError that names DATA_DIR
 */
export function createDataFolder(folder: string): void {
  const path = resolve(folder);
  try {
    create(path);
  } catch (error) {
    throw new ConfigError([
      `DATA_DIR: ${path} cannot be created (${systemCode(error) ?? 'unknown error'}). Set a folder that this user may create`,
    ]);
  }
  if (!statSync(path).isDirectory()) throw new ConfigError([`DATA_DIR: ${path} is not a folder`]);
}

function create(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  const parent = dirname(path);
  if (parent !== path) create(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process has created it.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
