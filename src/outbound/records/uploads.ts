import type { Cluster, Redis } from 'ioredis';
import type { InputDrafts, OnUnreadable, Uploads } from '../../domain/ports.ts';
import { Upload } from '../../domain/upload.ts';
import type { Keys } from './keys.ts';
import { createWriteUpload } from './scripts/write-upload.ts';
import { translated } from './store-errors.ts';
import { createVersionedRows } from './versioned-rows.ts';

/** Creates the store of uploads in Redis. */
export function createUploads(
  redis: Redis | Cluster,
  keys: Keys,
  { onUnreadable }: { onUnreadable?: OnUnreadable } = {},
): Uploads {
  const write = createWriteUpload(redis, keys);
  const { get, getPage } = createVersionedRows(redis, {
    kind: 'upload',
    schema: Upload,
    keyOf: keys.upload,
    onUnreadable,
  });

  return {
    create: (upload, limits) =>
      translated(async () => {
        // A tenant may upload before its first job, and the sweeper visits listed tenants only.
        await redis.sadd(keys.tenants, upload.tenant);
        return write.create(upload, limits);
      }),
    get: (tenant, id) => translated(() => get(tenant, id)),
    list: (tenant, query) =>
      translated(async () => {
        const { rows, nextBeforeId } = await getPage(tenant, keys.uploads(tenant), query);
        return { uploads: rows, nextBeforeId };
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
