import { describe, expect, it } from 'vitest';
import { storageKeysOf } from '../../../src/domain/image.ts';
import type { ImageJob } from '../../../src/domain/image-job.ts';
import { dueAt } from '../../../src/domain/job-deadlines.ts';
import { erase, purgeMedia } from '../../../src/domain/job-erasure.ts';
import { attemptOf, createdAt, finishedJob, previewOf, queuedJob, retention } from '../../support/jobs.ts';

const quarterMs = 900_000;
const input = { role: 'image', index: 0, source: { type: 'data' } } as const;

/** Returns an ended job with a file of every kind. */
function endedJob(): ImageJob & { finishedAt: number } {
  const job = finishedJob({ ...queuedJob(), inputs: [input] });
  const calls = [...job.attempts, attemptOf({ no: 9, state: 'uncertain', partialImages: 3 })];
  const images = job.images.map((image) => ({ ...image, thumbhash: '1QcSHQRnh493V4dIh4eXh1h4kJUI' }));
  return {
    ...job,
    finishedAt: job.finishedAt ?? createdAt,
    attempts: calls,
    images,
    previews: [previewOf(job)],
  };
}

describe('an erased job whose files are deleted', () => {
  const job = endedJob();

  it('stays due with the names of its files until no upload can be in flight', () => {
    const at = job.finishedAt + 5;
    const purged = purgeMedia(erase(job, at, retention), at + 1);
    expect(dueAt(purged)).toBe(at + quarterMs);
    expect(storageKeysOf(purged)).toEqual(expect.arrayContaining(storageKeysOf({ ...job, previews: [] })));
    const last = purgeMedia(purged, at + quarterMs);
    expect(dueAt(last)).toBe(job.recordExpiresAt);
    expect(last).toMatchObject({ images: [], mediaGone: true });
    expect(last.inputs).toBeUndefined();
  });

  it('waits for no upload if it ended long before its erasure, or if its record expires first', () => {
    const late = job.finishedAt + 3_600_001;
    expect(purgeMedia(erase(job, late, retention), late)).toMatchObject({ mediaGone: true });
    const at = job.finishedAt + 5;
    const short = { ...job, recordExpiresAt: at + 7 };
    expect(dueAt(purgeMedia(erase(short, at, retention), at))).toBe(at + 7);
  });

  it('has no placeholder of an image, because that shows the image', () => {
    expect(JSON.stringify(erase(job, job.finishedAt + 5, retention))).not.toContain('thumbhash');
  });
});
