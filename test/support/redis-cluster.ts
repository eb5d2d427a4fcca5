import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { findRedisBinary } from '../../src/lib/managed-redis/find.ts';
import { serverEnvironment } from '../../src/lib/managed-redis/redis-binary.ts';
import { createRedis } from '../../src/lib/redis.ts';
import { testCacheDir } from './redis.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A Redis Cluster of one node that owns every slot, on a loopback port. It ends with the test. */
export async function startTestCluster(): Promise<{ host: string; port: number }> {
  const searchPath = process.env.PATH;
  const binary = await findRedisBinary({
    cacheDir: testCacheDir(),
    searchPath,
    binary: process.env.REDIS_SERVER_BIN,
  });
  if (!binary) throw new Error('no redis-server: start a managed Redis first, which fetches one');
  const [host, dir] = ['127.0.0.1', await temporaryFolder()];
  const port = await freePort();
  const network = [
    '--port',
    String(port),
    '--bind',
    host,
    '--cluster-enabled',
    'yes',
    '--cluster-announce-ip',
    host,
  ];
  const args = [...network, '--dir', dir, '--save', ''];
  const child = spawn(binary.path, args, { stdio: 'ignore', env: serverEnvironment(binary.libraryPath) });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const admin = createRedis(`redis://${host}:${port}`, { onError: () => undefined });
  try {
    await admin.cluster('ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
    while (!String(await admin.cluster('INFO')).includes('cluster_state:ok')) await admin.ping();
  } finally {
    admin.disconnect();
  }
  return { host, port };
}

/** A port that is free now and leaves room for the cluster's second port, 10,000 above. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    if (port + 10_000 <= 65_535) return port;
  }
}
