import { readdirSync, statSync, truncateSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RedisClient } from '../../src/lib/redis/redis.ts';
import { createRedis } from '../../src/lib/redis/redis.ts';
import { isAlive, processIdentity } from '../../src/local/redis/process-identity.ts';
import type { ManagedRedis } from '../../src/local/redis/start.ts';
import { startManagedRedis } from '../../src/local/redis/start.ts';

/** Returns the cache folder of downloaded Redis servers, the default of `npm start`. */
export function testCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'darkroom');
}

/** Starts a managed Redis with the server that is available on this machine. */
export async function startRedisIn(
  dataDir: string,
  log: (line: string) => void = () => undefined,
): Promise<ManagedRedis> {
  return startManagedRedis({
    dataDir,
    cacheDir: testCacheDir(),
    binary: process.env.REDIS_SERVER_BIN || undefined,
    searchPath: process.env.PATH,
    log,
  });
}

/** Runs a query on a Redis through a new connection. */
export async function queryRedis<T>(target: string, run: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = createRedis(target, { onError: () => undefined });
  try {
    return await run(client);
  } finally {
    client.disconnect();
  }
}

/** A Redis of one test file, with faults. */
export interface TestRedis {
  /** Unix socket, the same after restarts. `url` is the same address for createRedis. */
  path: string;
  url: string;
  /** Returns the id of the current server process. */
  pid(): number;
  /** Ends the server with SIGKILL and waits for its end. */
  kill9(): Promise<void>;
  /** Ends the server if it runs, and starts a server on the same data and socket. */
  restart(): Promise<void>;
  /**
   * Returns a function that ends the server with SIGKILL and starts it without the writes since this call, as after a power
   * failure or a failover.
   */
  markWrites(): () => Promise<void>;
  /** Makes the server hang: it accepts connections and never responds. */
  pause(): void;
  /** Resumes a paused server. */
  resume(): void;
  /** Makes the server refuse every write that needs memory, or accept writes again. */
  refuseWrites(refuse: boolean): Promise<void>;
  /** Returns the number of calls of a command since the server started. */
  callsOf(command: string): Promise<number>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/** Returns the file to which a managed Redis appends its writes: the last of its increments. */
function appendOnlyFileIn(dataDir: string): string {
  const folder = join(dataDir, 'redis', 'appendonlydir');
  const numberOf = (name: string) => Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1] ?? 0);
  const [last = ''] = readdirSync(folder).sort((a, b) => numberOf(b) - numberOf(a));
  return join(folder, last);
}

/** Starts a Redis in a new temporary folder. */
export async function startTestRedis(): Promise<TestRedis> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-redis-'));
  let running = await startRedisIn(dataDir);
  const signal = (name: NodeJS.Signals) => {
    if (processIdentity(running.pid) !== undefined) process.kill(running.pid, name);
  };
  async function kill9() {
    const identity = processIdentity(running.pid);
    signal('SIGKILL');
    while (identity !== undefined && isAlive(identity))
      await new Promise((resolve) => setTimeout(resolve, 5));
  }
  async function restart() {
    signal('SIGCONT');
    await running.stop();
    running = await startRedisIn(dataDir);
  }
  return {
    path: running.path,
    url: running.url,
    pid: () => running.pid,
    kill9,
    restart,
    markWrites() {
      const file = appendOnlyFileIn(dataDir);
      const { size } = statSync(file);
      return async () => {
        await kill9();
        if (appendOnlyFileIn(dataDir) !== file) throw new Error('Redis has rewritten its append-only file');
        truncateSync(file, size);
        await restart();
      };
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    refuseWrites: (refuse) =>
      queryRedis(
        running.url,
        async (client) => void (await client.config('SET', 'maxmemory', refuse ? 1 : 0)),
      ),
    async callsOf(command) {
      const stats = await queryRedis(running.url, (client) => client.info('commandstats'));
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    },
    async stop() {
      signal('SIGCONT');
      await running.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
