import { rmSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DataDirClaim } from './data-dir-claim.ts';
import { claimDataDir } from './data-dir-claim.ts';
import { fetchDebianRedis } from './fetch-debian.ts';
import { findRedisBinary } from './find.ts';
import { adoptLeftover } from './leftover.ts';
import { ManagedRedisError, waysToGetRedis } from './managed-redis-error.ts';
import { socketUrl } from './query-server.ts';
import type { RedisBinary } from './redis-binary.ts';
import type { RunningServer, ServerPaths } from './run.ts';
import { endProcess, startServer } from './run.ts';
import { removeServerRecord } from './server-record.ts';
import { chooseSocketPath, redisDirOf } from './socket-path.ts';

/** A Redis that this process runs, reachable through a unix socket only. */
export interface ManagedRedis {
  /** Absolute path of the unix socket. */
  path: string;
  /** Address of the socket for createRedis: `unix:///...`. */
  url: string;
  version: string;
  pid: number;
  /** True if an earlier process started the server. */
  reused: boolean;
  /** Ends the server after it has written its data, and waits for the end. Idempotent. */
  stop(): Promise<void>;
}

/** Options of a managed Redis. */
export interface ManagedRedisOptions {
  /** Its folder `redis` receives the data. Created if missing. */
  dataDir: string;
  /** Folder for a downloaded server. Created if needed. */
  cacheDir: string;
  /** Server program (REDIS_SERVER_BIN). */
  binary?: string | undefined;
  /** Folders to search for a server program, apt-get and dpkg-deb (PATH). Default: the usual folders. */
  searchPath?: string | undefined;
  /** Receives single lines about slow or unusual steps. */
  log: (line: string) => void;
}

/**
 * Finds or downloads a Redis server, runs it on the data folder and resolves once it responds.
 *
 * A later start finds the data again. Up to a second of writes may be lost if the machine, not only the process, fails.
 * The server ends with this process, however this process ends. Ctrl-C in a terminal does not reach the server.
 *
 * @throws ManagedRedisError if another process uses the data folder, if no server can be found or downloaded, or if it
 *   does not start.
 */
export async function startManagedRedis(options: ManagedRedisOptions): Promise<ManagedRedis> {
  await mkdir(join(options.dataDir, 'redis'), { recursive: true, mode: 0o700 });
  const redisDir = await redisDirOf(options.dataDir);
  const claim = claimDataDir(join(redisDir, 'owner'), dirname(redisDir));
  try {
    const paths: ServerPaths = {
      redisDir,
      logPath: join(redisDir, 'redis.log'),
      recordPath: join(redisDir, 'server.json'),
      socketPath: await chooseSocketPath(redisDir),
    };
    const adopted = await adoptLeftover(paths, options.log);
    const server = adopted ?? (await startServer(await obtainBinary(options), paths));
    return manage(server, { paths, claim, reused: adopted !== undefined, log: options.log });
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function obtainBinary(options: ManagedRedisOptions): Promise<RedisBinary> {
  const binary = (await findRedisBinary(options)) ?? (await fetchDebianRedis(options));
  if (binary) return binary;
  throw new ManagedRedisError(`no redis-server or valkey-server found on this machine.\n${waysToGetRedis}`);
}

interface Management {
  paths: ServerPaths;
  claim: DataDirClaim;
  reused: boolean;
  log: (line: string) => void;
}

function manage(server: RunningServer, { paths, claim, reused, log }: Management): ManagedRedis {
  let stopping: Promise<void> | undefined;
  void server.ended.then((how) => {
    // Another process may get the pid now, and the guard must not end that one.
    server.guard.dismiss();
    if (!stopping) log(`redis-server (pid ${server.pid}) ended unexpectedly (${how}): see ${paths.logPath}`);
  });
  const stop = async () => {
    await endProcess(server.pid, server.hasEnded);
    server.guard.dismiss();
    removeServerRecord(paths.recordPath);
    rmSync(server.socketPath, { force: true });
    if (dirname(paths.socketPath) !== paths.redisDir)
      await rmdir(dirname(paths.socketPath)).catch(() => undefined);
    claim.release();
  };
  const { pid, version, socketPath } = server;
  return {
    path: socketPath,
    url: socketUrl(socketPath),
    version,
    pid,
    reused,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
