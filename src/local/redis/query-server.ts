import { pathToFileURL } from 'node:url';
import type { RedisClient } from '../../lib/redis/redis.ts';
import { createRedis } from '../../lib/redis/redis.ts';

/** Identity of a running server. */
export interface ServerReply {
  pid: number;
  version: string;
  /** Real path of its data folder. */
  dir: string;
}

/** Returns the address of a unix socket for createRedis. Works for any path. */
export function socketUrl(socketPath: string): string {
  return `unix://${pathToFileURL(socketPath).pathname}`;
}

/**
 * Reads the identity of the server on a unix socket, once it has loaded its data and replies to PING. Resolves with
 * undefined if no server listens, the connection breaks, or there is no reply within `timeoutMs`. Never rejects.
 */
export async function queryServer(socketPath: string, timeoutMs: number): Promise<ServerReply | undefined> {
  let fail: () => void = () => undefined;
  const failed = new Promise<undefined>((resolve) => {
    fail = () => resolve(undefined);
  });
  const timer = setTimeout(fail, timeoutMs);
  const client = createRedis(
    socketUrl(socketPath),
    { onError: () => fail(), connectionName: 'darkroom-launcher' },
    { maxLoadingRetryTime: 100 },
  );
  try {
    return await Promise.race([readIdentity(client).catch(() => undefined), failed]);
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
}

async function readIdentity(client: RedisClient): Promise<ServerReply | undefined> {
  if ((await client.ping()) !== 'PONG') return undefined;
  const info = await client.info('server');
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const [, dir] = (await client.config('GET', 'dir')) as [string, string];
  return {
    pid: Number(field('process_id')),
    version: field('valkey_version') ?? field('redis_version') ?? 'unknown',
    dir,
  };
}
