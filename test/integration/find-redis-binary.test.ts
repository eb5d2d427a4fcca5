import { readdirSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRedisBinary } from '../../src/local/redis/find.ts';
import { startManagedRedis } from '../../src/local/redis/start.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function program(folder: string, name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

async function find(searchPath: string, more: { binary?: string; log?: (line: string) => void } = {}) {
  return findRedisBinary({ cacheDir: await temporaryFolder(), searchPath, ...more });
}

describe('findRedisBinary', () => {
  it('uses valkey-server if redis-server is missing', async () => {
    const folder = await temporaryFolder();
    const path = await program(folder, 'valkey-server', 'echo "Valkey server v=8.1.3 sha=0"');
    expect(await find(folder)).toEqual({ path, flavor: 'valkey', version: '8.1.3', source: 'path' });
  });

  it('skips a server that is too old or broken, and reports why', async () => {
    const [old, good] = [await temporaryFolder(), await temporaryFolder()];
    await program(old, 'redis-server', 'echo "Redis server v=5.0.14 sha=0"');
    const path = await program(good, 'valkey-server', 'echo "Valkey server v=8.1.3 sha=0"');
    const lines: string[] = [];
    const found = await find(`relative:${old}:${good}`, { log: (line) => lines.push(line) });
    expect(found?.path).toBe(path);
    expect(lines).toEqual([`skipping ${join(old, 'redis-server')}: version 5.0.14 is older than 6.0.0`]);
  });

  it('uses only the configured program', async () => {
    const folder = await temporaryFolder();
    await program(folder, 'redis-server', 'echo "Redis server v=7.0.15 sha=0"');
    const binary = await program(folder, 'my-redis', 'echo "cannot open libfoo" >&2; exit 127');
    await expect(find(folder, { binary })).rejects.toThrow(
      /REDIS_SERVER_BIN is .*my-redis.*cannot open libfoo/,
    );
    await expect(find(folder, { binary: '/not/there' })).rejects.toThrow(/REDIS_SERVER_BIN is \/not\/there/);
  });

  it('finds a working copy in the cache folder, with the libraries beside it', async () => {
    const cacheDir = await temporaryFolder();
    await program(join(cacheDir, 'redis-broken', 'usr', 'bin'), 'redis-server', 'exit 127');
    const root = join(cacheDir, 'redis-debian-12-x64-00000000');
    const libraries = join(root, 'usr', 'lib', 'x86_64-linux-gnu');
    await mkdir(libraries, { recursive: true });
    const needsLibraries = `case "$LD_LIBRARY_PATH" in *${libraries}*) echo "Redis server v=7.0.15";; *) exit 127;; esac`;
    const path = await program(join(root, 'usr', 'bin'), 'redis-server', needsLibraries);
    const found = await findRedisBinary({ cacheDir, searchPath: cacheDir });
    expect(found).toMatchObject({ path, source: 'cache', version: '7.0.15' });
    expect(found?.libraryPath?.split(':')).toContain(libraries);
  });

  it('finds no server if none exists, and the start then names the three solutions', async () => {
    const [dataDir, empty] = [await temporaryFolder(), await temporaryFolder()];
    expect(await find(empty)).toBeUndefined();
    const started = startManagedRedis({ dataDir, cacheDir: empty, searchPath: empty, log: () => undefined });
    for (const way of [/REDIS_URL/, /brew install valkey/, /REDIS_SERVER_BIN/]) {
      await expect(started).rejects.toThrow(way);
    }
    expect(readdirSync(join(dataDir, 'redis')).filter((name) => name.startsWith('owner'))).toEqual([]);
  });
});
