import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { cacheDirOf } from '../../src/compose/local.ts';
import type { Closers } from '../../src/lib/closers.ts';
import { startManagedRedis } from '../../src/local/redis/start.ts';

/** The Redis of one program, with the settings of the service: append-only file, flushed every second. */
export interface BenchRedis {
  readonly url: string;
  /** Path of its Unix socket. */
  readonly path: string;
  readonly version: string;
  readonly client: Redis;
  /** CPU time of the command thread since the start, in microseconds. */
  cpuMicros(): Promise<number>;
  /** Deletes all data and starts a new append-only file. */
  clear(): Promise<void>;
}

export async function startBenchRedis(closers: Closers, say: (line: string) => void): Promise<BenchRedis> {
  const dataDir = closers.add(await mkdtemp(join(tmpdir(), 'darkroom-bench-')), (folder) =>
    rm(folder, { recursive: true, force: true }),
  );
  const server = closers.add(
    await startManagedRedis({
      dataDir,
      cacheDir: cacheDirOf({ XDG_CACHE_HOME: process.env.XDG_CACHE_HOME }),
      binary: process.env.REDIS_SERVER_BIN,
      searchPath: process.env.PATH,
      log: say,
    }),
    (running) => running.stop(),
  );
  const client = closers.add(new Redis(server.path), (connection) => connection.disconnect());
  // Automatic rewrites are off, because a rewrite during a measurement would slow down one variant only.
  await client.config('SET', 'auto-aof-rewrite-percentage', '0');
  const info = async (section: string, field: string) =>
    new RegExp(`^${field}:(.*)\\r$`, 'm').exec(await client.info(section))?.[1];
  return {
    url: server.url,
    path: server.path,
    version: server.version,
    client,
    async cpuMicros() {
      const seconds = async (kind: string) =>
        Number(
          (await info('cpu', `used_cpu_${kind}_main_thread`)) ?? (await info('cpu', `used_cpu_${kind}`)),
        );
      return ((await seconds('user')) + (await seconds('sys'))) * 1e6;
    },
    async clear() {
      await client.flushall('SYNC');
      await client.bgrewriteaof();
      while ((await info('persistence', 'aof_rewrite_in_progress')) !== '0') await sleep(10);
    },
  };
}
