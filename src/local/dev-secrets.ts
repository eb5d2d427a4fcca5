import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyText } from '../lib/crypto/api-key-text.ts';
import { systemCode } from '../lib/system-code.ts';

/** Secrets that `dev` creates at its first start and reads at later ones. */
export interface DevSecrets {
  readonly secretsKey: Buffer;
  readonly apiKey: string;
}

/**
 * Reads or creates the secrets of a development folder. Only the owner can read the files.
 *
 * @throws Error with the path of a file that contains no secret
 */
export function loadDevSecrets(dataDir: string): DevSecrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'secrets-key');
  const secretsKey = Buffer.from(
    readOrCreate(path, () => randomBytes(32).toString('base64')),
    'base64',
  );
  // A power failure may leave an empty file.
  if (secretsKey.length !== 32) {
    throw new Error(
      `${path} does not contain 32 bytes in base64. Restore it, or remove it: its links and secrets of webhooks then end.`,
    );
  }
  return {
    secretsKey,
    apiKey: readOrCreate(join(dataDir, 'dev-api-key'), () => createKeyText().key),
  };
}

/** Reads a secret, or creates it. Processes that start at the same time get the same secret. */
function readOrCreate(path: string, create: () => string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const own = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    // The secret appears under its name as a whole, so a crash leaves no partial secret.
    writeFileSync(own, `${create()}\n`, { mode: 0o600 });
    publish(own, path);
    return readFileSync(path, 'utf8').trim();
  } finally {
    rmSync(own, { force: true });
  }
}

/** Gives a file its name, unless another process was faster: unlike a rename, a link replaces no file. */
function publish(own: string, path: string): void {
  try {
    linkSync(own, path);
  } catch (error) {
    // Shared folders of virtual machines have no links.
    if (systemCode(error) !== 'EEXIST') renameSync(own, path);
  }
}
