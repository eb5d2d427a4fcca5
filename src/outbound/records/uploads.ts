import type { Cluster, Redis } from 'ioredis';
import type { InputDrafts, OnUnreadable, Uploads } from '../../domain/ports.ts';
import { Upload } from '../../domain/upload.ts';
import type { Keys } from './keys.ts';
import { readableRows } from './readable-rows.ts';
import { createWriteUpload } from './scripts/write-upload.ts';
import { translated } from './store-errors.ts';
import { decodeVersioned } from './versioned-json.ts';

/** Creates the store of uploads in Redis. */
export function createUploads(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): Uploads {
  const write = createWriteUpload(redis, keys);
  const decode = (text: string) => decodeVersioned(Upload, text);

  async function get(tenant: string, id: string): Promise<Upload | null> {
    const text = await redis.get(keys.upload(tenant, id));
    return text === null ? null : decode(text);
  }

  async function rows(tenant: string, ids: readonly string[]): Promise<Upload[]> {
    if (ids.length === 0) return [];
    const texts = await redis.mget(...ids.map((id) => keys.upload(tenant, id)));
    return readableRows(ids, texts, {
      decode,
      onUnreadable: (id, error) => onUnreadable?.({ kind: 'upload', tenant, id, error }),
    });
  }

  return {
    create: (upload, { maxBytes }) =>
      translated(async () => {
        // A tenant may upload before its first job, and the sweeper visits listed tenants only.
        await redis.sadd(keys.tenants, upload.tenant);
        return write.create(upload, maxBytes);
      }),
    get: (tenant, id) => translated(() => get(tenant, id)),
    list: (tenant, { limit, beforeId }) =>
      translated(async () => {
        const below = beforeId === undefined ? '+' : `(${beforeId}`;
        const ids = await redis.zrevrangebylex(keys.uploads(tenant), below, '-', 'LIMIT', 0, limit + 1);
        const page = ids.slice(0, limit);
        return {
          uploads: await rows(tenant, page),
          nextBeforeId: ids.length > limit ? (page.at(-1) ?? null) : null,
        };
      }),
    remove: (tenant, id) => translated(() => write.remove(tenant, id)),
    expired: (tenant, beforeMs, limit) =>
      translated(() =>
        redis.zrangebyscore(keys.expiringUploads(tenant), '-inf', beforeMs, 'LIMIT', 0, limit),
      ),
  };
}

/** Creates the list of jobs and uploads whose bytes are written before their record. */
export function createInputDrafts(redis: Redis | Cluster, keys: Keys): InputDrafts {
  return {
    add: (tenant, id, nowMs) =>
      translated(async () => {
        await redis.sadd(keys.tenants, tenant);
        await redis.zadd(keys.inputDrafts(tenant), nowMs, id);
      }),
    remove: (tenant, id) =>
      translated(async () => {
        await redis.zrem(keys.inputDrafts(tenant), id);
      }),
    listOlder: (tenant, beforeMs, limit) =>
      translated(() => redis.zrangebyscore(keys.inputDrafts(tenant), '-inf', beforeMs, 'LIMIT', 0, limit)),
  };
}
