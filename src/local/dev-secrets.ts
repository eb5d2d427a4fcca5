import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyText } from '../lib/crypto/api-key-text.ts';
import { systemCode } from '../lib/system-code.ts';

/** What `dev` makes for itself at its first start and finds again at the next. */
export interface DevSecrets {
  readonly secretsKey: Buffer;
  readonly apiKey: string;
}

/** Reads or makes the secrets of a development folder; the files are readable for their owner alone. */
export function loadDevSecrets(dataDir: string): DevSecrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return {
    secretsKey: Buffer.from(
      kept(join(dataDir, 'secrets-key'), () => randomBytes(32).toString('base64')),
      'base64',
    ),
    apiKey: kept(join(dataDir, 'dev-api-key'), () => createKeyText().key),
  };
}

function kept(path: string, make: () => string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    const text = make();
    // Under another name first: a death in between must leave no half of a secret.
    writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return text;
  }
}
