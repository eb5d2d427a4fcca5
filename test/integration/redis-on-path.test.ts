import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { composeEnvironment } from '../../src/compose/local.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createClosers } from '../../src/lib/closers.ts';
import { findRedisBinary } from '../../src/local/redis/find.ts';
import { testCacheDir } from '../support/redis.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Creates a folder whose `redis-server` records its arguments in `calls` and then runs the real server. */
async function folderWithRedis(): Promise<string> {
  const folder = await temporaryFolder();
  const real = await findRedisBinary({
    cacheDir: testCacheDir(),
    binary: process.env.REDIS_SERVER_BIN || undefined,
    searchPath: process.env.PATH,
  });
  if (!real) throw new Error('no redis-server on this machine');
  const libraries = real.libraryPath ? `LD_LIBRARY_PATH='${real.libraryPath}' ` : '';
  const lines = ['#!/bin/sh', `echo "$*" >> '${folder}/calls'`, `${libraries}exec '${real.path}' "$@"`, ''];
  await writeFile(join(folder, 'redis-server'), lines.join('\n'));
  await chmod(join(folder, 'redis-server'), 0o755);
  return folder;
}

it('uses the redis-server of a folder that only PATH names when dev starts', async () => {
  const [folder, dataDir] = [await folderWithRedis(), await temporaryFolder()];
  const config = loadConfig({ PATH: folder, DATA_DIR: dataDir, PROVIDER: 'studio' }, 'dev');
  const closers = createClosers((error) => expect.fail(String(error)));
  try {
    const { redis } = await composeEnvironment(config, closers, { say: () => undefined });
    expect(redis.managed).toBe(true);
    expect(await readFile(join(folder, 'calls'), 'utf8')).toContain(join(dataDir, 'redis'));
  } finally {
    await closers.close();
  }
});
