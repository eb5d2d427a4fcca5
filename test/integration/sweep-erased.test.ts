import { describe, expect, it } from 'vitest';
import { storageKeyOf, thumbnailKeyOf } from '../../src/domain/image.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { erase } from '../../src/domain/job-erasure.ts';
import { type Core, connectCore } from '../support/core.ts';
import { attemptOf, createdAt, finishedJob, queuedJob, retention } from '../support/jobs.ts';

/** Creates a finished job whose image is in the storage. */
async function finished(core: Core): Promise<ImageJob> {
  const job = queuedJob();
  await core.records.submit({ job, maxOpenJobs: 10 });
  const ended = await core.change({ tenant: 'acme', id: job.id }, (now) => finishedJob(now));
  for (const image of ended?.images ?? [])
    await core.storage.put(image.storageKey, Buffer.from('image'), image);
  return ended ?? job;
}

describe('the sweep of erased jobs', () => {
  it('removes images of an erased job that the storage did not remove at once', async () => {
    const core = await connectCore();
    const job = await finished(core);
    await core.change({ tenant: 'acme', id: job.id }, (now) => erase(now, createdAt, retention));
    await core.sweep();
    expect(await core.storage.read(job.images[0]?.storageKey ?? '')).toBeNull();
  });

  it('removes files of an erased job again whose upload ended after the erasure, and then marks them as deleted', async () => {
    const core = await connectCore();
    const job = await finished(core);
    await core.change({ tenant: 'acme', id: job.id }, (now) => erase(now, createdAt, retention));
    await core.sweep();
    const keys = [thumbnailKeyOf(job, { index: 0 }), job.images[0]?.storageKey ?? ''];
    for (const key of keys) await core.storage.put(key, Buffer.from('late'), { contentType: 'image/png' });
    core.passTime(900_000);
    await core.sweep();
    for (const key of keys) expect(await core.storage.read(key)).toBeNull();
    expect(await core.records.get('acme', job.id)).toMatchObject({ images: [], mediaGone: true });
  });

  it('removes an unrecorded image that a dead worker stored', async () => {
    const core = await connectCore();
    const job = await finished(core);
    const attempt = attemptOf({ no: 9, index: 0, state: 'uncertain', error: 'worker_lost' });
    await core.change({ tenant: 'acme', id: job.id }, (now) => ({
      ...now,
      attempts: [...now.attempts, attempt],
    }));
    const orphan = storageKeyOf(job, attempt, 'image/webp');
    await core.storage.put(orphan, Buffer.from('no record refers to this'), { contentType: 'image/webp' });
    await core.change({ tenant: 'acme', id: job.id }, (now) => erase(now, createdAt, retention));
    await core.sweep();
    expect(await core.storage.read(orphan)).toBeNull();
  });
});
