import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ManagedRedisError, waysToGetRedis } from './managed-redis-error.ts';
import type { RedisBinary } from './redis-binary.ts';
import { inspectBinary, inspectUnpacked } from './redis-binary.ts';
import { defaultSearchPath, findOnPath } from './run-program.ts';

/** Folders in the cache folder that hold an unpacked server begin with this. */
export const unpackedPrefix = 'redis-';

/**
 * Looks for a Redis or Valkey server program: `binary` (REDIS_SERVER_BIN) if given, else `redis-server` or
 * `valkey-server` on `searchPath`, else a copy unpacked into `cacheDir` earlier. Each candidate is run once
 * with `--version`; one that does not run or is too old is passed over, and `log` hears why. Fetches nothing.
 * Throws ManagedRedisError when `binary` is given and of no use.
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
    options.log?.(`${path} is passed over: ${found}`);
  }
  return findUnpacked(options.cacheDir);
}

/** The first copy in `cacheDir` that runs on this machine. */
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
