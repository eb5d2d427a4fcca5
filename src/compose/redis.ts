import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import {
  createDirectRedis,
  createProducerRedis,
  createSubscriberRedis,
  type RedisClient,
  whenRedisReady,
} from '../lib/redis/redis.ts';
import type { Root } from './root.ts';

type OpenRedis = typeof createProducerRedis;

/** Connections that every role of a process shares. Each consumer of a queue adds a blocking connection of its own. */
export interface Connections {
  /** Reads and writes of records. Commands of one event loop turn share a pipeline. */
  readonly records: RedisClient;
  /**
   * Commands that are batched already and would only wait for a pipeline, and the queues: BullMQ defines its many scripts
   * on the connection, and every pipeline would copy them.
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
    records: connect(root, isOnlyWorker ? createDirectRedis : createProducerRedis, 'records'),
    direct: connect(root, createDirectRedis, 'direct'),
    signals: connect(root, createSubscriberRedis, 'signals'),
  };
}

/** Waits until records and queues are reachable, at most `limitMs`. */
export async function whenConnected({ records, direct }: Connections, limitMs: number): Promise<void> {
  await Promise.all([records, direct].map((client) => whenRedisReady(client, limitMs)));
}

/** Opens a connection that is closed with the composition. */
export function connect(root: Root, open: OpenRedis, name: string): RedisClient {
  const target = { redisTarget: root.environment.redisTarget, name };
  return root.closers.add(openRedis(open, target, root), (client) => client.disconnect());
}

/** Opens a connection that logs each outage once instead of once per attempt. */
export function openRedis(
  open: OpenRedis,
  target: { readonly redisTarget: string; readonly name: string },
  { config, log }: { readonly config: Config; readonly log: Logger },
): RedisClient {
  let isDown = false;
  const fields = { connection: target.name };
  const client = open(target.redisTarget, {
    cluster: config.REDIS_CLUSTER,
    connectionName: `darkroom-${target.name}`,
    onError: (error) => {
      if (!isDown) log.warn({ err: error, ...fields }, 'Redis is unreachable, reconnecting');
      isDown = true;
    },
  });
  client.on('ready', () => {
    if (isDown) log.info(fields, 'Redis is reachable again');
    isDown = false;
  });
  return client;
}
