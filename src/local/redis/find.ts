import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ManagedRedisError, waysToGetRedis } from './managed-redis-error.ts';
import type { RedisBinary } from './redis-binary.ts';
import { inspectBinary, inspectUnpacked } from './redis-binary.ts';
import { defaultSearchPath, findOnPath } from './run-program.ts';

/** Prefix of the folders of unpacked servers in the cache folder. */
export const unpackedPrefix = 'redis-';

/**
 * Finds a Redis or Valkey server program: `binary` (REDIS_SERVER_BIN) if given, otherwise `redis-server` or
 * `valkey-server` on `searchPath`, otherwise a copy that was unpacked into `cacheDir` earlier. Runs each candidate once
 * with `--version`. Skips and logs a candidate that does not run or is too old. Downloads nothing.
 *
 * @throws ManagedRedisError if `binary` is given and unusable.
 */
export async function findRedisBinary(options: {
  cacheDir: string;
  binary?: string | undefined;
  searchPath?: string | undefined;
  log?: ((line: string) => void) | undefined;
}): Promise<RedisBinary | undefined> {
  if (options.binary !== undefined) return explicitBinary(options.binary);
  for (const name of ['redis-server', 'valkey-server']) {
    const path = await findOnPath(name, options.searchPath ?? defaultSearchPath);
    if (path === undefined) continue;
    const found = await inspectBinary(path, 'path');
    if (typeof found !== 'string') return found;
    options.log?.(`skipping ${path}: ${found}`);
  }
  return findUnpacked(options.cacheDir);
}

/** Returns the first copy in `cacheDir` that runs on this machine. */
export async function findUnpacked(cacheDir: string): Promise<RedisBinary | undefined> {
  const entries = await readdir(cacheDir).catch(() => []);
  for (const entry of entries.filter((name) => name.startsWith(unpackedPrefix)).sort()) {
    const found = await inspectUnpacked(join(cacheDir, entry));
    if (typeof found !== 'string') return found;
  }
  return undefined;
}

async function explicitBinary(binary: string): Promise<RedisBinary> {
  const path = resolve(binary);
  const found = await inspectBinary(path, 'setting');
  if (typeof found !== 'string') return found;
  throw new ManagedRedisError(`REDIS_SERVER_BIN is ${path}, but ${found}\n${waysToGetRedis}`);
}
