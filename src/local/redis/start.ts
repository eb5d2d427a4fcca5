import { rmSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { socketUrl } from './ask-server.ts';
import type { DataDirClaim } from './data-dir-claim.ts';
import { claimDataDir } from './data-dir-claim.ts';
import { fetchDebianRedis } from './fetch-debian.ts';
import { findRedisBinary } from './find.ts';
import { adoptLeftover } from './leftover.ts';
import { ManagedRedisError, waysToGetRedis } from './managed-redis-error.ts';
import type { RedisBinary } from './redis-binary.ts';
import type { RunningServer, ServerPaths } from './run.ts';
import { endProcess, startServer } from './run.ts';
import { removeServerRecord } from './server-record.ts';
import { chooseSocketPath, redisDirOf } from './socket-path.ts';

/** A Redis of this process' own, reachable through a unix socket only. */
export interface ManagedRedis {
  /** Absolute path of the unix socket. */
  path: string;
  /** The socket as an address for createRedis: `unix:///...`. */
  url: string;
  version: string;
  pid: number;
  /** True when the server was left running by an earlier process that is gone. */
  reused: boolean;
  /** Ends the server after it has written its data, and waits for that. May be called more than once. */
  stop(): Promise<void>;
}

/** What a managed Redis needs to know. */
export interface ManagedRedisOptions {
  /** Its data goes into the folder `redis` below; made if missing. */
  dataDir: string;
  /** A fetched server is kept here; made if needed. */
  cacheDir: string;
  /** The server program (REDIS_SERVER_BIN). */
  binary?: string | undefined;
  /** Where to look for a server program, apt-get and dpkg-deb (PATH); the usual folders where there is none. */
  searchPath?: string | undefined;
  /** Told in single lines what takes time or is out of the ordinary. */
  log: (line: string) => void;
}

/**
 * Finds or fetches a Redis server, runs it on the data folder and resolves once it answers. The data is
 * kept: a later start finds it (up to a second of writes may be lost when the machine, not merely the
 * process, dies). The server ends with this process however that ends, and Ctrl-C in a terminal does not
 * reach it. One process at a time may do this per data folder. Throws ManagedRedisError when another does,
 * when there is no server to be had, or when it does not come up.
 */
export async function startManagedRedis(options: ManagedRedisOptions): Promise<ManagedRedis> {
  await mkdir(join(options.dataDir, 'redis'), { recursive: true, mode: 0o700 });
  const redisDir = await redisDirOf(options.dataDir);
  const claim = claimDataDir(join(redisDir, 'owner'), dirname(redisDir));
  try {
    const place: ServerPaths = {
      redisDir,
      logPath: join(redisDir, 'redis.log'),
      recordPath: join(redisDir, 'server.json'),
      socketPath: await chooseSocketPath(redisDir),
    };
    const adopted = await adoptLeftover(place, options.log);
    const server = adopted ?? (await startServer(await obtainBinary(options), place));
    return manage(server, place, claim, adopted !== undefined, options.log);
  } catch (error) {
    claim.release();
    throw error;
  }
}

async function obtainBinary(options: ManagedRedisOptions): Promise<RedisBinary> {
  const binary = (await findRedisBinary(options)) ?? (await fetchDebianRedis(options));
  if (binary) return binary;
  throw new ManagedRedisError(
    `no redis-server or valkey-server was found on this machine.\n${waysToGetRedis}`,
  );
}

function manage(
  server: RunningServer,
  place: ServerPaths,
  claim: DataDirClaim,
  reused: boolean,
  log: (line: string) => void,
): ManagedRedis {
  let stopping: Promise<void> | undefined;
  void server.ended.then((how) => {
    // From here on its pid may become somebody else's, whom the guard must not end.
    server.guard.dismiss();
    if (!stopping) log(`redis-server (pid ${server.pid}) ended by itself (${how}): see ${place.logPath}`);
  });
  const stop = async () => {
    await endProcess(server.pid, server.hasEnded);
    server.guard.dismiss();
    removeServerRecord(place.recordPath);
    rmSync(server.socketPath, { force: true });
    if (dirname(place.socketPath) !== place.redisDir)
      await rmdir(dirname(place.socketPath)).catch(() => undefined);
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
