import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { ConnectionUse } from '../lib/redis/connection-set.ts';
import {
  createDirectRedis,
  createProducerRedis,
  createSubscriberRedis,
  type RedisClient,
} from '../lib/redis/redis.ts';
import type { Root } from './root.ts';

type OpenRedis = typeof createProducerRedis;

/**
 * Connections that every role of a process shares. The roles `worker` and `webhooks` add one connection for both queues
 * and a blocking one for each queue. The relay of the role `worker` adds another one.
 */
export interface Connections {
  /** Reads and writes of records. Commands of one event loop turn share a pipeline, except on a cluster. */
  readonly records: RedisClient;
  /**
   * Commands that need no pipeline: those that are batched already, and those of the queues. BullMQ defines many scripts on
   * the connection, and every pipeline would copy them.
   */
  readonly direct: RedisClient;
  /** Subscriptions. */
  readonly signals: RedisClient;
}

/** Opens the shared connections. None of them waits for Redis. */
export function connectRedis(root: Root): Connections {
  // A worker sends a few commands for each image, one after the other, so a pipeline would only delay them.
  const isOnlyWorker = [...root.config.roles].every((role) => role === 'worker');
  return {
    records: connect(root, isOnlyWorker ? createDirectRedis : createProducerRedis, { name: 'records' }),
    direct: connect(root, createDirectRedis, { name: 'direct' }),
    signals: connect(root, createSubscriberRedis, { name: 'signals', use: 'subscriptions' }),
  };
}

/** Opens a connection that is part of readiness and is closed with the composition. */
export function connect(
  root: Root,
  open: OpenRedis,
  { name, use = 'commands' }: { readonly name: string; readonly use?: ConnectionUse },
): RedisClient {
  const { environment, connections, closers } = root;
  const onWrongServer = () => connections.reconnect();
  const { client, lastError } = openRedis(
    open,
    { redisTarget: environment.redisTarget, name, onWrongServer },
    root,
  );
  closers.add(client, (each) => each.disconnect());
  return connections.add(name, client, { use, lastError });
}

/** Opens a connection that logs each outage once instead of once per attempt. */
export function openRedis(
  open: OpenRedis,
  target: { readonly redisTarget: string; readonly name: string; readonly onWrongServer?: () => void },
  { config, log }: { readonly config: Config; readonly log: Logger },
): { client: RedisClient; lastError: () => unknown } {
  let isDown = false;
  let lastError: unknown;
  const fields = { connection: target.name };
  const client = open(target.redisTarget, {
    cluster: config.REDIS_CLUSTER,
    connectionName: `darkroom-${target.name}`,
    ...(target.onWrongServer ? { onWrongServer: target.onWrongServer } : {}),
    onError: (error) => {
      lastError = error;
      if (!isDown) log.warn({ err: error, ...fields }, 'Redis is unreachable, reconnecting');
      isDown = true;
    },
  });
  client.on('ready', () => {
    if (isDown) log.info(fields, 'Redis is reachable again');
    isDown = false;
    lastError = undefined;
  });
  return { client, lastError: () => lastError };
}
