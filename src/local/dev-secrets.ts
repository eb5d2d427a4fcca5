import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyText } from '../lib/crypto/api-key-text.ts';
import { systemCode } from '../lib/system-code.ts';

/** Secrets that `dev` creates at its first start and reads at later ones. */
export interface DevSecrets {
  readonly secretsKey: Buffer;
  readonly apiKey: string;
}

/** Reads or creates the secrets of a development folder. Only the owner can read the files. */
export function loadDevSecrets(dataDir: string): DevSecrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return {
    secretsKey: Buffer.from(
      readOrCreate(join(dataDir, 'secrets-key'), () => randomBytes(32).toString('base64')),
      'base64',
    ),
    apiKey: readOrCreate(join(dataDir, 'dev-api-key'), () => createKeyText().key),
  };
}

function readOrCreate(path: string, create: () => string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    const text = create();
    // A rename is atomic, so a crash leaves no partial secret.
    writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return text;
  }
}
