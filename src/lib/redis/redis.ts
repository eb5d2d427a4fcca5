import type { ClusterOptions, RedisOptions } from 'ioredis';
import { Cluster, Redis } from 'ioredis';
import { connectPrimaries, whenPrimariesConnected } from './cluster-nodes.ts';
import { isWrongServer } from './redis-errors.ts';
import type { RedisTarget } from './redis-target.ts';
import { parseRedisTarget } from './redis-target.ts';

/** Connection to a Redis server or to a Redis Cluster. Both accept the same commands. */
export type RedisClient = Redis | Cluster;

/** Options of every connection. */
export interface RedisClientOptions {
  /** Called once per failed connection attempt. Required, because an `error` event without a listener ends the process. */
  onError: (error: Error) => void;
  /**
   * Called if the server replies that another server is responsible, as after a failover. This connection already
   * reconnects by name. Other connections of the process may have to reconnect too.
   */
  onWrongServer?: () => void;
  /** Use the cluster protocol for a single address too. */
  cluster?: boolean;
  /** Name in Redis' CLIENT LIST. */
  connectionName?: string;
}

/** Options of ioredis that a caller may set. Address, names and reconnection are decided here. */
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
  | 'reconnectOnError'
  | 'himportFieldsets'
  | 'replyMapping'
>;

// The types of both clients assume replies in their RESP2 shapes.
type LegacyClusterOptions = Omit<ClusterOptions, 'redisOptions'> & {
  redisOptions: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;
};

const maxBackoffMs = 1000;

/** Returns the pause before a reconnect attempt (counted from 1), in milliseconds: 50, 100, 200, ... at most 1000. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), maxBackoffMs);
}

/**
 * Opens a connection to `target`, in the forms of parseRedisTarget. Several hosts or `cluster: true` open a cluster
 * connection. Returns at once, connects in the background and reconnects at most 1 s apart until `disconnect()` or
 * `quit()`.
 *
 * Reconnects by name after a reply that means "wrong server" (READONLY, UNBLOCKED, MASTERDOWN, LOADING). A connection to a
 * demoted server therefore does not outlive a failover.
 *
 * @throws Error if `target` is invalid.
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
  if (client instanceof Cluster && settings.enableOfflineQueue === false) connectPrimaries(client);
  return client;
}

/**
 * Opens a connection for callers that must respond soon, such as an HTTP route.
 *
 * While Redis is down a command rejects at once, also before the first `ready` (see whenRedisReady). A command without a
 * reply rejects after 2 s, or after 4 s if earlier commands hang. The commands of one event loop turn share a round trip,
 * and those of the next turn wait for it. On a cluster every command is sent separately.
 *
 * A command rejects if the connection breaks while it is in flight. It is never sent again. Redis may or may not have
 * executed it.
 */
export function createProducerRedis(target: string, options: RedisClientOptions): RedisClient {
  return createRedis(target, options, { ...failFast, enableAutoPipelining: true });
}

/**
 * Opens a connection like createProducerRedis that sends every command at once and separately. Sharing a round trip costs
 * more than it saves if few commands arrive together. The cost is highest for a library that defines many scripts, because
 * every pipeline copies all commands and scripts of its connection.
 */
export function createDirectRedis(target: string, options: RedisClientOptions): RedisClient {
  return createRedis(target, options, failFast);
}

/**
 * Maximum number of redirections and retries of one command in a cluster. A cluster that is down redirects every 100 ms,
 * so the command waits half a second for a new master. Callers get a response within one second.
 */
const maxRedirects = 5;

const failFast: RedisClientSettings = {
  enableOfflineQueue: false,
  // With 1, a command that timed out for its caller long ago would be sent again after a reconnect.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  commandTimeout: 2000,
  // Without it, a server that vanished without closing would look connected for minutes.
  socketTimeout: 5000,
  connectTimeout: 2000,
};

/** Opens a connection for workers with blocking reads. Commands wait during an outage and are sent after it. */
export function createWorkerRedis(target: string, options: RedisClientOptions): RedisClient {
  return createRedis(target, options, {
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    // Longer than any blocking read of the queue, which lasts 10 s at most.
    socketTimeout: 30_000,
    connectTimeout: 5000,
  });
}

/** Pause between two pings of a subscriber, in milliseconds. */
const pingPauseMs = 3000;

/**
 * Opens a connection for subscriptions, which are renewed after an outage. A server that vanished without closing is
 * detected within 8 s by a ping without a reply.
 *
 * A cluster client pings its nodes in the same way, but receives messages through another connection with TCP keep-alive
 * only. Detection takes up to 40 s on that connection, or until the node leaves the cluster.
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
    // During an outage pings would only fill the offline queue.
    if (client.status === 'ready') client.ping().catch(() => {});
  }, pingPauseMs);
  timer.unref();
  client.once('end', () => clearInterval(timer));
  return client;
}

/** Resolves with true as soon as the connection accepts commands, with false after `timeoutMs`. Never rejects. */
export async function whenRedisReady(client: RedisClient, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (ready: boolean) => {
      clearTimeout(timer);
      client.removeListener('ready', onReady);
      resolve(ready);
    };
    const onReady = () => void whenPrimariesConnected(client).then(() => finish(true));
    const timer = setTimeout(() => finish(false), timeoutMs);
    if (client.status === 'ready') onReady();
    else client.once('ready', onReady);
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
      : {
          host: where.host,
          port: where.port,
          ...(where.family === undefined ? {} : { family: where.family }),
          ...(where.tls ? { tls: settings.tls ?? {} } : {}),
        };
  return {
    ...settings,
    ...address,
    ...identityOf(where, options),
    db: where.db,
    retryStrategy: reconnectDelayMs,
    reconnectOnError: reconnection(options, settings),
  };
}

function clusterOptions(
  where: Extract<RedisTarget, { kind: 'cluster' }>,
  options: RedisClientOptions,
  settings: RedisClientSettings,
): LegacyClusterOptions {
  const { enableOfflineQueue = true, enableAutoPipelining: _, ...perNode } = settings;
  return {
    enableOfflineQueue,
    // Off, because a pipeline does not survive the move of a slot. After a reply ASK, ioredis also repeats the reads that
    // succeeded, on the new server, which does not have their keys yet: an existing record would be absent.
    enableAutoPipelining: false,
    clusterRetryStrategy: reconnectDelayMs,
    // The check is off. With it, a `connect()` to a cluster that is down never settles, not even after a recovery, and
    // BullMQ's consumers wait for that promise. Without it, the commands reject with the reason.
    enableReadyCheck: false,
    // 0 turns retries off, because a command that may not queue must not be sent again. A command that may queue waits
    // until a new master is elected. With ioredis' defaults it would fail after 16 attempts, in less than two seconds.
    retryDelayOnFailover: enableOfflineQueue ? 100 : 0,
    maxRedirections: enableOfflineQueue ? Number.POSITIVE_INFINITY : maxRedirects,
    // Certificates contain host names instead of addresses, so TLS connects by host name.
    ...(where.tls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
    redisOptions: {
      ...perNode,
      ...identityOf(where, options),
      ...(where.family === undefined ? {} : { family: where.family }),
      reconnectOnError: reconnection(options, settings),
      ...(where.tls ? { tls: settings.tls ?? {} } : {}),
    },
  };
}

/**
 * Returns ioredis' decision on an error reply: 1 reconnects, 2 also sends the command again. A refused command was not
 * executed, so a connection that may queue sends it again.
 */
function reconnection(options: RedisClientOptions, settings: RedisClientSettings) {
  const decision = settings.enableOfflineQueue === false ? 1 : 2;
  return (error: Error): false | 1 | 2 => {
    if (!isWrongServer(error)) return false;
    options.onWrongServer?.();
    return decision;
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
