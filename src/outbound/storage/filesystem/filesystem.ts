import { join } from 'node:path';
import { defineStorage } from '../storage-definition.ts';
import { createFilesystemStorage } from './filesystem-storage.ts';

const directoryIn = (dataDir: string) => join(dataDir, 'images');

/** Images as files below DATA_DIR. */
export const filesystem = defineStorage({
  name: 'filesystem',
  variables: {},
  create: (_values, { dataDir, signingKey }) =>
    createFilesystemStorage({ directory: directoryIn(dataDir), signingKey }),
  check: () => [],
  endpoint: () => undefined,
  linkOrigins: () => [],
  describe: (_values, { dataDir }) => `filesystem, ${directoryIn(dataDir)}`,
});
