import { join } from 'node:path';
import type { Clock } from '../../src/domain/ports.ts';
import type { RedisClient } from '../../src/lib/redis/redis.ts';
import { createImageInspector } from '../../src/outbound/media/image-inspector.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import type { Keys } from '../../src/outbound/records/keys.ts';
import { createInputDrafts, createUploads } from '../../src/outbound/records/uploads.ts';

/** Creates the adapters of inputs on the data of a test. */
export function inputPorts(
  { redis, directory }: { readonly redis: RedisClient; readonly directory: string },
  keys: Keys,
  clock: Clock,
) {
  const staging = createStaging(join(directory, '.incoming'));
  return {
    staging,
    inspector: createImageInspector(staging, { maxConcurrent: 2 }),
    uploads: createUploads(redis, keys),
    drafts: createInputDrafts(redis, keys),
    clock,
  };
}
