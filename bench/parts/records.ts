import { Redis } from 'ioredis';
import { createJob, type ImageJob } from '../../src/domain/image-job.ts';
import { beginRun, finish } from '../../src/domain/job-moves.ts';
import type { JobStore } from '../../src/domain/ports.ts';
import type { Closers } from '../../src/lib/closers.ts';
import { ids } from '../../src/lib/ids.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createKeys, type Keys } from '../../src/outbound/records/keys.ts';
import type { BenchRedis } from '../harness/redis.ts';
import { tenant } from './darkroom.ts';

/** Job records of Darkroom, written and read without the service. */
export interface RecordStore {
  readonly records: JobStore;
  readonly keys: Keys;
  readonly client: Redis;
}

/** Opens the records of a deployment as the service does. Commands of one event loop turn share a round trip. */
export function openRecords(redis: BenchRedis, keyPrefix: string, closers: Closers): RecordStore {
  const client = closers.add(new Redis(redis.path, { enableAutoPipelining: true }), (each) =>
    each.disconnect(),
  );
  const keys = createKeys(keyPrefix);
  return { records: createJobStore(client, keys), keys, client };
}

const dayMs = 24 * 3_600_000;

/** Creates a job as `POST /images` accepts it. */
export function waitingJob(nowMs: number): ImageJob {
  return createJob({
    id: ids.job(nowMs),
    tenant,
    nowMs,
    request: {
      prompt: 'A lighthouse in a storm, oil on canvas',
      model: 'gpt-image-2.6-flare',
      n: 1,
      size: '1024x1024',
      quality: 'high',
      enhance: 'off',
      priority: 'normal',
      queue_ttl_s: 86_400,
      run_timeout_s: 1_800,
    },
  });
}

/** Returns the same job, finished with one image. */
export function finishedJob(nowMs: number): ImageJob {
  const running = beginRun(waitingJob(nowMs - 12_000), nowMs - 11_000);
  return finish(
    {
      ...running,
      attempts: [
        {
          no: 1,
          kind: 'generate',
          index: 0,
          state: 'stored',
          fence: 1,
          startedAt: nowMs - 11_000,
          finishedAt: nowMs,
          providerRequestId: 'req_0123456789abcdef',
          costMicroUsd: 124_900,
        },
      ],
      images: [
        {
          index: 0,
          storageKey: `${tenant}/${running.id}/0.png`,
          contentType: 'image/png',
          width: 1024,
          height: 1024,
          sizeBytes: 2_700_000,
          sha256: 'a'.repeat(64),
        },
      ],
      usage: { input_tokens: 20, output_tokens: 4160, total_tokens: 4180 },
    },
    'succeeded',
    { nowMs, retention: { mediaSeconds: (30 * dayMs) / 1000, recordSeconds: (90 * dayMs) / 1000 } },
  );
}

/**
 * Writes a job in its final state. `submit` lists every job as unfinished, so an ended job is then removed from that
 * list. The keys then equal those that the whole lifecycle of the job would leave.
 */
export async function storeJob({ records, keys, client }: RecordStore, job: ImageJob): Promise<void> {
  await records.submit({ job, maxOpenJobs: Number.MAX_SAFE_INTEGER });
  if (job.finishedAt !== undefined) await client.zrem(keys.open(tenant), job.id);
}
