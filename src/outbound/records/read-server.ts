import type { Cluster, Redis } from 'ioredis';
import type { StoreServer } from '../../domain/ports.ts';
import { primariesOf } from './primaries.ts';

/** Returns facts about the server, on a cluster about one of its primaries. Reads INFO, because managed services forbid CONFIG. */
export async function readServer(redis: Redis | Cluster): Promise<StoreServer> {
  const [node] = primariesOf(redis);
  const [server = '', replication = ''] = node
    ? await Promise.all([node.info('server'), node.info('replication')])
    : [];
  const field = (info: string, name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? null;
  const role = field(replication, 'role');
  // Valkey reports the version of Redis that it is compatible with under the name of Redis.
  const valkey = field(server, 'valkey_version');
  const version = valkey === null ? field(server, 'redis_version') : `Valkey ${valkey}`;
  return { version, role: role === 'slave' ? 'replica' : role };
}
