import { hostInUrl } from '../host-in-url.ts';

/** Address of a Redis. `socket` is a unix socket, `tcp` one server, `cluster` the first nodes to contact. */
export type RedisTarget =
  | { kind: 'socket'; path: string; db: number; username?: string; password?: string }
  | {
      kind: 'tcp';
      host: string;
      port: number;
      db: number;
      tls: boolean;
      family?: AddressFamily;
      username?: string;
      password?: string;
    }
  | {
      kind: 'cluster';
      nodes: RedisNode[];
      tls: boolean;
      family?: AddressFamily;
      username?: string;
      password?: string;
    };

/** Version of IP to which host names are resolved. 0 accepts both. */
export type AddressFamily = 0 | 4 | 6;

/** Server of a cluster as configured by the operator. */
export interface RedisNode {
  host: string;
  port: number;
}

const defaultPort = 6379;
const forms = 'redis://host:6379/0, rediss://host:6379 (TLS), an absolute socket path, or unix:///path?db=0';

/**
 * Parses a connection string:
 * - `redis://[user:password@]host[:port][/db]`, and `rediss://...` for TLS, with `?family=0|4|6`;
 * - an absolute path or `unix:///path` (also `redis+unix:///path`) for a unix socket, with `?db=N`;
 * - several servers separated by commas, or `cluster: true`, for Redis Cluster. User, password, scheme and family of the
 *   first node apply to all. The other nodes may be a bare `host:port`.
 * In user and password, `,` and other marks of an address are percent-encoded (%2C).
 *
 * @throws Error with the fault. The message contains no password.
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
  return { kind: 'cluster', nodes, tls, ...familyIn(first), ...credentialsOf(first) };
}

/** Returns the target for logs, without user and password. */
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
    db: databaseOf(url, ['db', 'family'], url.pathname.slice(1)),
    ...familyIn({ family: familyOf(url) }),
    tls: url.protocol === 'rediss:',
    ...urlCredentials(url),
  };
}

function parseSocket(text: string): RedisTarget {
  if (text.startsWith('/')) {
    const [path = '', query = ''] = text.split('?', 2);
    return { kind: 'socket', path, db: databaseOf(parseUrl(`unix:///?${query}`), ['db']) };
  }
  const url = parseUrl(text);
  if (url.hostname) throw new Error('a socket address has three slashes: unix:///path/redis.sock');
  const path = decoded(url.pathname);
  if (!path.startsWith('/'))
    throw new Error('the socket path is not absolute: write unix:///path/redis.sock');
  return { kind: 'socket', path, db: databaseOf(url, ['db']), ...urlCredentials(url) };
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    // The text may contain a password, so the message contains neither the text nor the parser's error.
    throw new Error(`not a Redis address: expected ${forms}`);
  }
}

function databaseOf(url: URL, options: readonly string[], fromPath = ''): number {
  const unknown = [...url.searchParams.keys()].find((key) => !options.includes(key));
  if (unknown !== undefined)
    throw new Error(`the Redis address has an unknown option '${unknown}': known are ${options.join(', ')}`);
  const text = url.searchParams.get('db') ?? fromPath;
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new Error('the database of the Redis address is not a number');
  return Number(text);
}

function familyOf(url: URL): AddressFamily | undefined {
  const text = url.searchParams.get('family');
  if (text === null) return undefined;
  const family = ([0, 4, 6] as const).find((each) => String(each) === text);
  if (family === undefined)
    throw new Error('the family of the Redis address must be 0 (IPv4 and IPv6), 4 or 6');
  return family;
}

function familyIn({ family }: { family?: AddressFamily | undefined }): { family?: AddressFamily } {
  return family === undefined ? {} : { family };
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
    throw new Error('the Redis address contains a % that encodes nothing: write it as %25');
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
