/**
 * Loads the development secrets of folders, each at its time, and prints them as JSON. Arguments: parent of the folders,
 * number of folders, time of the first in milliseconds.
 */
import { join } from 'node:path';
import { loadDevSecrets } from '../../src/local/dev-secrets.ts';

const [parent = '', count, startMs] = process.argv.slice(2);
const pauseMs = 5;
const loaded: string[] = [];
for (let i = 0; i < Number(count); i += 1) {
  while (Date.now() < Number(startMs) + i * pauseMs);
  const { apiKey, secretsKey } = loadDevSecrets(join(parent, String(i)));
  loaded.push(`${apiKey} ${secretsKey.toString('base64')}`);
}
process.stdout.write(JSON.stringify(loaded));
