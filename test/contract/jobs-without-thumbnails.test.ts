import { describe, expect, it } from 'vitest';
import { addThumbnail } from '../../src/domain/job-thumbnails.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createdAt, finishedJob, queuedJob } from '../support/jobs.ts';
import { connectTestStore } from '../support/store.ts';

const thumbhash = '1QcSHQRnh493V4dIh4eXh1h4kJUI';

describe('the jobs without thumbnails', () => {
  it('are listed from their end until they have them, at most for the range of time', async () => {
    const store = await connectTestStore();
    const records = createJobStore(store.redis, store.keys);
    const job = queuedJob();
    const range = { fromMs: createdAt, toMs: createdAt + 3_600_000, limit: 10 };
    const listed = () => records.withoutThumbnails(job.tenant, range);
    await records.submit({ job, maxOpenJobs: 10 });
    expect(await listed()).toEqual([]);
    await records.update(job, (now) => ({ job: finishedJob(now) }));
    expect(await listed()).toEqual([job.id]);
    await records.update(job, (now) => ({ job: addThumbnail(now, 0, { thumbhash, nowMs: createdAt }) }));
    expect(await listed()).toEqual([]);
  });

  it('are forgotten after the range, so that a deployment without thumbnails collects none', async () => {
    const store = await connectTestStore();
    const records = createJobStore(store.redis, store.keys);
    const job = queuedJob();
    await records.submit({ job, maxOpenJobs: 10 });
    await records.update(job, (now) => ({ job: finishedJob(now) }));
    const later = { fromMs: createdAt + 7_200_000, toMs: createdAt + 9_000_000, limit: 10 };
    expect(await records.withoutThumbnails(job.tenant, later)).toEqual([]);
    expect(await store.redis.exists(store.keys.withoutThumbnails(job.tenant))).toBe(0);
  });
});
