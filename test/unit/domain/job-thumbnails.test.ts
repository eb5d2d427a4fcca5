import { describe, expect, it } from 'vitest';
import type { StoredImage } from '../../../src/domain/image.ts';
import type { ImageJob } from '../../../src/domain/image-job.ts';
import { erase, purgeMedia } from '../../../src/domain/job-erasure.ts';
import { addThumbnail, lacksThumbnails } from '../../../src/domain/job-thumbnails.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../../support/jobs.ts';

const made = { thumbhash: '1QcSHQRnh493V4dIh4eXh1h4kJUI', nowMs: createdAt + 20_000 };
const finished = () => finishedJob(queuedJob());
const ofType = (contentType: string, fields: Partial<StoredImage> = {}): ImageJob => {
  const job = finished();
  return { ...job, images: job.images.map((image) => ({ ...image, contentType, ...fields })) };
};

describe('the thumbnails of a job', () => {
  it('are missing from its success until they are recorded', () => {
    expect(lacksThumbnails(queuedJob())).toBe(false);
    expect(lacksThumbnails(finished())).toBe(true);
    const complete = addThumbnail(finished(), 0, made);
    expect(complete.images[0]?.thumbhash).toBe(made.thumbhash);
    expect(lacksThumbnails(complete)).toBe(false);
  });

  it.each(['image/svg+xml', 'application/octet-stream'])('are never made of %s', (contentType) => {
    expect(lacksThumbnails(ofType(contentType))).toBe(false);
  });

  it('are not tried again if an image cannot be decoded', () => {
    expect(lacksThumbnails(addThumbnail(finished(), 0, { ...made, thumbhash: '' }))).toBe(false);
  });

  it.each([
    ['an erased job', (job: ImageJob) => erase(job, createdAt, retention)],
    ['a job whose images are deleted', (job: ImageJob) => purgeMedia(job, createdAt)],
    ['a job that has the thumbnail', (job: ImageJob) => addThumbnail(job, 0, made)],
  ])('are not recorded in %s', (_, change) => {
    const job = change(finished());
    expect(addThumbnail(job, 0, { ...made, thumbhash: 'later' })).toBe(job);
  });
});
