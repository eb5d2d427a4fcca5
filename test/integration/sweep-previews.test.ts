import { describe, expect, it } from 'vitest';
import { previewKeyOf } from '../../src/domain/image.ts';
import { addImage, addPreview, beginRun, finish } from '../../src/domain/job-moves.ts';
import { connectCore } from '../support/core.ts';
import { attemptOf, createdAt, imageOf, previewOf, queuedJob } from '../support/jobs.ts';

describe('the sweep of previews', () => {
  it('deletes the previews of a job an hour after its end, and its images only with their retention', async () => {
    const core = await connectCore();
    const submitted = queuedJob();
    await core.records.submit({ job: submitted, maxOpenJobs: 10_000 });
    const { id } = submitted;
    const media = { mediaSeconds: 7200, recordSeconds: 7200 };
    const ended = await core.change({ tenant: 'acme', id }, (now) => {
      const begun = addImage(
        addPreview(beginRun(now, createdAt), previewOf(now), createdAt),
        imageOf(now),
        createdAt,
      );
      const attempts = [attemptOf({ partialImages: 2 })];
      return { ...finish(begun, 'succeeded', { nowMs: createdAt, retention: media }), attempts };
    });
    const [image, preview] = [ended?.images[0], ended?.previews?.[0]];
    if (!ended || !image || !preview) throw new Error('the job was not recorded');
    const unrecorded = previewKeyOf(ended, attemptOf(), 1);
    for (const key of [image.storageKey, preview.storageKey, unrecorded]) {
      await core.storage.put(key, Buffer.from('bytes'), image);
    }
    core.passTime(3_599_000);
    await core.sweep();
    expect((await core.records.get('acme', id))?.previews).toHaveLength(1);
    core.passTime(1_000);
    await core.sweep();
    const job = await core.records.get('acme', id);
    expect(job).not.toHaveProperty('previews');
    expect(job?.images).toHaveLength(1);
    const left = [image.storageKey, preview.storageKey, unrecorded].map((key) => core.storage.read(key));
    expect((await Promise.all(left)).map((bytes) => bytes !== null)).toEqual([true, false, false]);
  });
});
