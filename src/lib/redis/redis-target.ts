import { hostInUrl } from '../host-in-url.ts';

/** Where a Redis is. `socket` is a unix socket, `tcp` one server, `cluster` the nodes to ask first. */
export type RedisTarget =
  | { kind: 'socket'; path: string; db: number; username?: string; password?: string }
  | {
      kind: 'tcp';
      host: string;
      port: number;
      db: number;
      tls: boolean;
      username?: string;
      password?: string;
    }
  | { kind: 'cluster'; nodes: RedisNode[]; tls: boolean; username?: string; password?: string };

/** One server of a cluster, as named by the operator. */
export interface RedisNode {
  host: string;
  port: number;
}

const defaultPort = 6379;
const forms = 'redis://host:6379/0, rediss://host:6379 (TLS), an absolute socket path, or unix:///path?db=0';

/**
 * Reads a connection string:
 * - `redis://[user:password@]host[:port][/db]` and `rediss://...` for TLS;
 * - an absolute path or `unix:///path` (also `redis+unix:///path`) for a unix socket, with `?db=N`;
 * - several of the first form separated by commas, or `cluster: true`, for Redis Cluster. The user,
 *   password and scheme of the first node count for all; nodes after it may be a bare `host:port`.
 * In user and password, `,` and other marks of an address are written %2C and so on.
 * Throws an Error that says what is wrong and never repeats a password.
 */
export function parseRedisTarget(target: string, options: { cluster?: boolean } = {}): RedisTarget {
  const parts = target.split(',').map((part) => part.trim());
  const isSocket = /^(\/|unix:|redis\+unix:)/i.test(parts[0] ?? '');
  if (isSocket) {
    if (options.cluster) throw new Error('a Redis Cluster cannot be reached through a unix socket');
    return parseSocket(target.trim());
  }
  const [first, ...rest] = parts.map((part, index) => parseServer(part, index > 0));
  if (!first) throw new Error(`not a Redis address: expected ${forms}`);
  if (rest.length === 0 && !options.cluster) return first;
  if ([first, ...rest].some((server) => server.db !== 0)) {
    throw new Error('a Redis Cluster has only database 0: remove the /db part');
  }
  const { tls } = first;
  const nodes = [first, ...rest].map(({ host, port }) => ({ host, port }));
  return { kind: 'cluster', nodes, tls, ...credentialsOf(first) };
}

/** The target as it may appear in logs: without user and password. */
export function describeRedisTarget(target: RedisTarget): string {
  if (target.kind === 'socket') return target.db === 0 ? target.path : `${target.path}?db=${target.db}`;
  const scheme = target.tls ? 'rediss' : 'redis';
  if (target.kind === 'tcp') return `${scheme}://${hostAndPort(target)}/${target.db}`;
  return `${scheme}://${target.nodes.map(hostAndPort).join(',')} (cluster)`;
}

function hostAndPort({ host, port }: RedisNode): string {
  return `${hostInUrl(host)}:${port}`;
}

function parseServer(text: string, allowBare: boolean): Extract<RedisTarget, { kind: 'tcp' }> {
  const url = parseUrl(allowBare && !text.includes('://') ? `redis://${text}` : text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new Error(`not a Redis address (it starts with ${url.protocol}): expected ${forms}`);
  }
  if (!url.hostname) throw new Error('the Redis address names no host');
  return {
    kind: 'tcp',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
    db: databaseOf(url, url.pathname.slice(1)),
    tls: url.protocol === 'rediss:',
    ...urlCredentials(url),
  };
}

function parseSocket(text: string): RedisTarget {
  if (text.startsWith('/')) {
    const [path = '', query = ''] = text.split('?', 2);
    return { kind: 'socket', path, db: databaseOf(parseUrl(`unix:///?${query}`), '') };
  }
  const url = parseUrl(text);
  if (url.hostname) throw new Error('a socket address has three slashes: unix:///path/redis.sock');
  const path = decoded(url.pathname);
  if (!path.startsWith('/'))
    throw new Error('the socket path is not absolute: write unix:///path/redis.sock');
  return { kind: 'socket', path, db: databaseOf(url, ''), ...urlCredentials(url) };
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // The text may hold a password, so neither it nor the parser's own error is shown.
    throw new Error(`not a Redis address: expected ${forms}`);
  }
}

function databaseOf(url: URL, fromPath: string): number {
  const unknown = [...url.searchParams.keys()].find((key) => key !== 'db');
  if (unknown !== undefined)
    throw new Error(`the Redis address has an unknown option '${unknown}': only db is known`);
  const text = url.searchParams.get('db') ?? fromPath;
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new Error('the database of the Redis address is not a number');
  return Number(text);
}

function urlCredentials(url: URL): { username?: string; password?: string } {
  return credentialsOf({
    username: decoded(url.username),
    password: decoded(url.password),
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('the Redis address holds a % that escapes nothing: write it as %25');
  }
}

function credentialsOf(of: { username?: string; password?: string }): {
  username?: string;
  password?: string;
} {
  return {
    ...(of.username ? { username: of.username } : {}),
    ...(of.password ? { password: of.password } : {}),
  };
}
