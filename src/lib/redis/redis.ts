import type { ClusterOptions, RedisOptions } from 'ioredis';
import { Cluster, Redis } from 'ioredis';
import type { RedisTarget } from './redis-target.ts';
import { parseRedisTarget } from './redis-target.ts';

/** One connection to a Redis server, or to a Redis Cluster. Both take the same commands. */
export type RedisClient = Redis | Cluster;

/** What every connection needs to be told. */
export interface RedisClientOptions {
  /** Hears every connection error, once per failed attempt. Required: an unheard `error` event ends the process. */
  onError: (error: Error) => void;
  /** Speak Redis Cluster even to a single address. */
  cluster?: boolean;
  /** Shown by Redis' CLIENT LIST. */
  connectionName?: string;
}

/** Redis options a caller may set; the address, names and reconnecting are decided here. */
export type RedisClientSettings = Omit<
  RedisOptions,
  | 'host'
  | 'port'
  | 'path'
  | 'db'
  | 'username'
  | 'password'
  | 'sentinels'
  | 'retryStrategy'
  | 'himportFieldsets'
  | 'replyMapping'
>;

// Replies in their RESP2 shapes, which the types of both clients assume.
type LegacyClusterOptions = Omit<ClusterOptions, 'redisOptions'> & {
  redisOptions: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;
};

const maxBackoffMs = 1000;

/** Milliseconds to wait before reconnect attempt `attempt` (from 1): 50, 100, 200, ... at most 1 s. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), maxBackoffMs);
}

/**
 * Opens a connection to `target` (forms: see parseRedisTarget; several hosts or `cluster: true` give a
 * Cluster). Returns at once, connects in the background and reconnects for ever, at most 1 s apart, until
 * `disconnect()` or `quit()`. Throws only when `target` cannot be read.
 */
export function createRedis(
  target: string,
  options: RedisClientOptions,
  settings: RedisClientSettings = {},
): RedisClient {
  const where = parseRedisTarget(target, { cluster: options.cluster ?? false });
  const client =
    where.kind === 'cluster'
      ? new Cluster(where.nodes, clusterOptions(where, options, settings))
      : new Redis(serverOptions(where, options, settings));
  client.on('error', options.onError);
  return client;
}

/**
 * For callers that must answer soon, such as an HTTP route. While Redis is away a command rejects at once
 * instead of queueing; commands before the first `ready` do too (see whenRedisReady). One that gets no reply
 * rejects after 2 s, or within 4 s if it was issued behind others that hang, because commands of one turn of
 * the event loop share a round trip and the next turn's wait for it. A command in flight when the connection
 * breaks rejects, is never sent again, and may or may not have been carried out.
 */
export function createProducerRedis(target: string, options: RedisClientOptions): RedisClient {
  return createRedis(target, options, { ...failFast, enableAutoPipelining: true });
}

/**
 * The same, but every command is sent by itself and at once. Sharing a round trip costs more than it saves where few
 * commands come together, and most of all for a library that defines many scripts: every pipeline copies all commands
 * and scripts of its connection.
 */
export function createDirectRedis(target: string, options: RedisClientOptions): RedisClient {
  return createRedis(target, options, failFast);
}

/**
 * How often a command may be told to come again or to go elsewhere. A cluster that is down says so every 100 ms, so this is
 * half a second, in which a new master may have taken over; no more is left of the second in which callers are answered.
 */
const maxRedirects = 5;

const failFast: RedisClientSettings = {
  enableOfflineQueue: false,
  // With 1, a command whose caller has long been told of a timeout is sent again after a reconnect.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 2000,
  // A peer that vanished without closing would otherwise look connected for minutes.
  socketTimeout: 5000,
  connectTimeout: 2000,
};

/** For workers with blocking reads: commands wait for as long as an outage lasts and are then sent. */
export function createWorkerRedis(target: string, options: RedisClientOptions): RedisClient {
  return createRedis(target, options, {
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    // Longer than any blocking read of the queue (10 s at most).
    socketTimeout: 30_000,
    connectTimeout: 5000,
  });
}

/** How often a connection that only listens asks whether it is still heard. */
const pingPauseMs = 3000;

/**
 * For a connection that only listens: after an outage it subscribes again to what it had subscribed to. A server that
 * vanished without closing is noticed within 8 s, because a ping stays without an answer.
 *
 * A cluster's client pings its nodes like this, but listens through one more connection that has only TCP's keep-alive:
 * there it takes up to 40 s, or until the node leaves the cluster.
 */
export function createSubscriberRedis(target: string, options: RedisClientOptions): RedisClient {
  const client = createRedis(target, options, {
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    autoResubscribe: true,
    socketTimeout: 5000,
    connectTimeout: 5000,
  });
  const timer = setInterval(() => {
    // During an outage they would only queue.
    if (client.status === 'ready') client.ping().catch(() => {});
  }, pingPauseMs);
  timer.unref();
  client.once('end', () => clearInterval(timer));
  return client;
}

/** Resolves with true as soon as the connection takes commands, with false after `timeoutMs`. Never rejects. */
export async function whenRedisReady(client: RedisClient, timeoutMs: number): Promise<boolean> {
  if (client.status === 'ready') return true;
  return new Promise((resolve) => {
    const finish = (ready: boolean) => {
      clearTimeout(timer);
      client.removeListener('ready', onReady);
      resolve(ready);
    };
    const onReady = () => finish(true);
    const timer = setTimeout(() => finish(false), timeoutMs);
    client.once('ready', onReady);
  });
}

function serverOptions(
  where: Exclude<RedisTarget, { kind: 'cluster' }>,
  options: RedisClientOptions,
  settings: RedisClientSettings,
): Omit<RedisOptions, 'replyMapping'> {
  const address =
    where.kind === 'socket'
      ? { path: where.path }
      : { host: where.host, port: where.port, ...(where.tls ? { tls: settings.tls ?? {} } : {}) };
  return {
    ...settings,
    ...address,
    ...identityOf(where, options),
    db: where.db,
    retryStrategy: reconnectDelayMs,
  };
}

function clusterOptions(
  where: Extract<RedisTarget, { kind: 'cluster' }>,
  options: RedisClientOptions,
  settings: RedisClientSettings,
): LegacyClusterOptions {
  const { enableOfflineQueue = true, enableAutoPipelining = false, ...perNode } = settings;
  return {
    enableOfflineQueue,
    enableAutoPipelining,
    clusterRetryStrategy: reconnectDelayMs,
    // With it, a `connect()` that finds the cluster down never settles, not even once the cluster is whole and the client
    // connected, and BullMQ's consumers wait for that promise. Without it, commands tell by themselves that it is down.
    enableReadyCheck: false,
    // What may not queue may not be sent again either; 0 turns that off. What may queue waits for a new master for as
    // long as its election takes: by default it would be given up after 16 tries, which is less than two seconds.
    retryDelayOnFailover: enableOfflineQueue ? 100 : 0,
    maxRedirections: enableOfflineQueue ? Number.POSITIVE_INFINITY : maxRedirects,
    // Certificates name hosts, not addresses, so under TLS the host names are kept.
    ...(where.tls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
    redisOptions: {
      ...perNode,
      ...identityOf(where, options),
      ...(where.tls ? { tls: settings.tls ?? {} } : {}),
    },
  };
}

function identityOf(
  where: RedisTarget,
  options: RedisClientOptions,
): Pick<RedisOptions, 'username' | 'password' | 'connectionName'> {
  return {
    ...(where.username === undefined ? {} : { username: where.username }),
    ...(where.password === undefined ? {} : { password: where.password }),
    ...(options.connectionName === undefined ? {} : { connectionName: options.connectionName }),
  };
}
