import type { Cluster, Redis } from 'ioredis';
import type { UploadLimits } from '../../../domain/ports.ts';
import type { Upload } from '../../../domain/upload.ts';
import { createScript } from '../../../lib/redis/script.ts';
import type { Keys } from '../keys.ts';
import { encodeVersioned } from '../versioned-json.ts';

/**
 * The client repeats a script whose reply it lost, so an existing record is a success and counts once.
 *
 * KEYS 1 record, 2 ids, 3 ids by expiry, 4 total size, 5 drafts. ARGV 1 record, 2 id, 3 expiry, 4 size, 5 maximum of the total,
 *      6 maximum number. Returns 1, or 0 if a maximum would be exceeded.
 */
const createSource = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
local total = tonumber(redis.call('GET', KEYS[4]) or '0')
if total + tonumber(ARGV[4]) > tonumber(ARGV[5]) then return 0 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
redis.call('INCRBY', KEYS[4], ARGV[4])
redis.call('ZREM', KEYS[5], ARGV[2])
return 1
`;

/**
 * Subtracts the size that the record states, whichever release wrote it. A damaged record stays in the total.
 *
 * KEYS 1 record, 2 ids, 3 ids by expiry, 4 total size. ARGV 1 id. Returns 1 if the record existed.
 */
const removeSource = `
local record = redis.call('GET', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if not record then return 0 end
redis.call('DEL', KEYS[1])
local is_readable, size = pcall(function() return cjson.decode(record).sizeBytes end)
if redis.call('DECRBY', KEYS[4], is_readable and tonumber(size) or 0) <= 0 then redis.call('DEL', KEYS[4]) end
return 1
`;

/** Prepares the scripts that write and remove an upload together with its indexes and the total size. */
export function createWriteUpload(redis: Redis | Cluster, keys: Keys) {
  const create = createScript(redis, createSource);
  const remove = createScript(redis, removeSource);
  const indexesOf = (tenant: string) => [
    keys.uploads(tenant),
    keys.expiringUploads(tenant),
    keys.uploadBytes(tenant),
  ];
  return {
    /** Writes the record and removes its draft. @returns false if a maximum would be exceeded. */
    async create(upload: Upload, { maxBytes, maxCount }: UploadLimits): Promise<boolean> {
      const { tenant, id, expiresAt, sizeBytes } = upload;
      const reply = await create(
        [keys.upload(tenant, id), ...indexesOf(tenant), keys.inputDrafts(tenant)],
        [encodeVersioned(upload), id, expiresAt, sizeBytes, maxBytes, maxCount],
      );
      return reply === 1;
    },
    /** @returns whether the upload existed. */
    async remove(tenant: string, id: string): Promise<boolean> {
      return (await remove([keys.upload(tenant, id), ...indexesOf(tenant)], [id])) === 1;
    },
  };
}
