import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { findRedisBinary } from '../../src/local/redis/find.ts';
import { serverEnvironment } from '../../src/local/redis/redis-binary.ts';
import { freePort } from './free-port.ts';
import { queryRedis, testCacheDir } from './redis.ts';

/** One server of a Redis Cluster, on a loopback port, with its own folder. */
export interface ClusterNode {
  readonly host: string;
  readonly port: number;
  isAlive(): boolean;
  /** Runs a query on this node through a new connection. */
  query<T>(run: (redis: Redis) => Promise<T>): Promise<T>;
  /** Ends the server with SIGKILL and waits for its end. */
  kill9(): Promise<void>;
  /** Starts the server again on the same port and folder. */
  start(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a server that belongs to no cluster yet and owns no slot. */
export async function startClusterNode(settings: readonly string[] = []): Promise<ClusterNode> {
  const binary = await findRedisBinary({
    cacheDir: testCacheDir(),
    searchPath: process.env.PATH,
    binary: process.env.REDIS_SERVER_BIN,
  });
  if (!binary) throw new Error('no redis-server: start a managed Redis first, which fetches one');
  const host = '127.0.0.1';
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'darkroom-cluster-'));
  const address = ['--port', String(port), '--bind', host, '--cluster-announce-ip', host];
  const args = [...address, '--cluster-enabled', 'yes', '--dir', dir, '--save', '', ...settings];
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();

  const query = <T>(run: (redis: Redis) => Promise<T>) =>
    queryRedis(`redis://${host}:${port}`, (client) => run(client as Redis));

  async function start(): Promise<void> {
    const started = spawn(binary?.path ?? '', args, {
      stdio: 'ignore',
      env: serverEnvironment(binary?.libraryPath),
    });
    child = started;
    ended = new Promise((resolve) => started.once('exit', resolve));
    const gone = ended.then((): never => {
      throw new Error(`the server on port ${port} ended during its start`);
    });
    await Promise.race([query((redis) => redis.ping()), gone]);
    gone.catch(() => undefined);
  }
  async function kill9(): Promise<void> {
    child?.kill('SIGKILL');
    await ended;
    child = undefined;
  }
  await start();
  return {
    host,
    port,
    isAlive: () => child !== undefined,
    query,
    kill9,
    start,
    async stop() {
      await kill9();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
