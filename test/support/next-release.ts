import type { ImageJob } from '../../src/domain/image-job.ts';
import { encodeVersioned } from '../../src/outbound/records/versioned-json.ts';
import type { TestStore } from './store.ts';

/** Values that only the next release knows. This release must keep every one of them through its own updates. */
export const nextRelease = {
  budgetHold: { micro_usd: 41_000, key_id: 'key_1' },
  variants: ['webp', 'avif'],
  attempt: {
    no: 7,
    kind: 'moderate',
    index: 0,
    state: 'screened',
    fence: 1,
    startedAt: 1_790_000_000_000,
    error: 'moderation_unsure',
    verdict: { category: 'none' },
  },
  error: {
    code: 'moderation_unsure',
    message: 'A newer error.',
    stage: 'screening',
    billing: 'refunded',
    index: 0,
    hint: 'retry',
  },
} as const;

/** Returns a record as the next release would write it: more fields, and values this release does not know. */
export function asNextRelease(job: ImageJob): ImageJob {
  return {
    ...job,
    budgetHold: nextRelease.budgetHold,
    variants: nextRelease.variants,
    attempts: [...job.attempts, nextRelease.attempt],
    images: job.images.map((image) => ({
      ...image,
      thumbnailKey: `${job.tenant}/${job.id}/thumb-${image.index}.webp`,
    })),
    history: job.history.map((moment) => ({ ...moment, by: 'next' })),
  } as unknown as ImageJob;
}

/** Overwrites the record of a submitted job, as a newer process beside this one would. */
export async function writeRecord(
  { redis, keys }: Pick<TestStore, 'redis' | 'keys'>,
  job: ImageJob,
): Promise<void> {
  await redis.set(keys.job(job.tenant, job.id), encodeVersioned(job));
}
