import { pathToFileURL } from 'node:url';
import type { RedisClient } from '../../lib/redis/redis.ts';
import { createRedis } from '../../lib/redis/redis.ts';

/** What a running server says of itself. */
export interface ServerReply {
  pid: number;
  version: string;
  /** The real path of the folder it keeps its data in. */
  dir: string;
}

/** The address of a unix socket in the form createRedis reads, for any path. */
export function socketUrl(socketPath: string): string {
  return `unix://${pathToFileURL(socketPath).pathname}`;
}

/**
 * Asks the server on a unix socket who it is, once it has loaded its data and answers PING. Resolves with
 * undefined when nobody listens, the connection breaks, or there is no answer within `timeoutMs`. Never rejects.
 */
export async function queryServer(socketPath: string, timeoutMs: number): Promise<ServerReply | undefined> {
  let giveUp: () => void = () => undefined;
  const givenUp = new Promise<undefined>((resolve) => {
    giveUp = () => resolve(undefined);
  });
  const timer = setTimeout(giveUp, timeoutMs);
  const client = createRedis(
    socketUrl(socketPath),
    { onError: () => giveUp(), connectionName: 'darkroom-launcher' },
    { maxLoadingRetryTime: 100 },
  );
  try {
    return await Promise.race([interview(client).catch(() => undefined), givenUp]);
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
}

async function interview(client: RedisClient): Promise<ServerReply | undefined> {
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
