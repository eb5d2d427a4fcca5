import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { isTerminal } from '../../src/domain/image-job.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import { type ProjectJob, projectJob } from '../../src/outbound/records/job-projections.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { finishedJob, queuedJob } from '../support/jobs.ts';
import { claimOf } from '../support/records.ts';
import { connectTestStore } from '../support/store.ts';

const store = await connectTestStore();
const { redis, keys } = store;
const counterKey = (tenant: string) => `${keys.jobs(tenant)}:held`;
const indexKey = (tenant: string) => `${keys.jobs(tenant)}:by-n`;

/** Adds an index by number of images, and a counter of the images of unfinished jobs by model. */
const project: ProjectJob = (names, job) => {
  const base = projectJob(names, job);
  const { tenant, status, request, erasedAt } = job;
  if (erasedAt !== undefined || !request) return base;
  const { n, model } = request;
  return {
    indexes: [...base.indexes, { key: indexKey(tenant), score: isTerminal(status) ? 0 : n }],
    counters: isTerminal(status) ? [] : [{ key: counterKey(tenant), field: model, amount: n }],
  };
};
const records = createJobStore(redis, keys, { project });
const counters = (tenant: string) => redis.hgetall(counterKey(tenant));
const scoreOf = (job: ImageJob) => redis.zscore(indexKey(job.tenant), job.id);

let tenants = 0;
const jobOf = (tenant: string, n: number, model = 'gpt-image-1') =>
  queuedJob({ tenant, request: { n, model } });
const withRequest = (job: ImageJob, patch: Partial<ImageRequest>): ImageJob =>
  job.request ? { ...job, request: { ...job.request, ...patch } } : job;

describe('an index and a counter that are added to the projection', () => {
  it('changes projections atomically with every submission and update of the job', async () => {
    const tenant = `projected-${++tenants}`;
    const [first, second] = [jobOf(tenant, 3), jobOf(tenant, 4)];
    await Promise.all([first, second].map((job) => records.submit({ job, maxOpenJobs: 10 })));
    expect(await counters(tenant)).toEqual({ 'gpt-image-1': '7' });
    expect(await Promise.all([scoreOf(first), scoreOf(second)])).toEqual(['3', '4']);
    await records.update({ tenant, id: first.id }, (job) => ({
      job: { ...job, updatedAt: job.updatedAt + 1 },
    }));
    expect(await counters(tenant)).toEqual({ 'gpt-image-1': '7' });
    await records.update({ tenant, id: first.id }, (job) => ({ job: finishedJob(job) }));
    expect(await counters(tenant)).toEqual({ 'gpt-image-1': '4' });
    expect(await Promise.all([scoreOf(first), scoreOf(second)])).toEqual(['0', '4']);
  });

  it('ignores refused and replayed submissions in projections', async () => {
    const tenant = `projected-${++tenants}`;
    const submit = (maxOpenJobs: number) =>
      records.submit({ job: jobOf(tenant, 2), claim: claimOf('key'), maxOpenJobs });
    const outcomes = await Promise.all([submit(10), submit(10), submit(10)]);
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['created', 'replayed', 'replayed']);
    await records.submit({ job: jobOf(tenant, 5), maxOpenJobs: 1 });
    expect(await counters(tenant)).toEqual({ 'gpt-image-1': '2' });
    expect(await redis.zcard(indexKey(tenant))).toBe(1);
  });

  it('counts every one of 40 concurrent updates once in a projection', async () => {
    const tenant = `projected-${++tenants}`;
    const job = jobOf(tenant, 1);
    await records.submit({ job, maxOpenJobs: 10 });
    const addImage = (now: ImageJob) => ({ job: withRequest(now, { n: (now.request?.n ?? 0) + 1 }) });
    await Promise.all(Array.from({ length: 40 }, () => records.update({ tenant, id: job.id }, addImage)));
    expect(await counters(tenant)).toEqual({ 'gpt-image-1': '41' });
  });

  it('moves a count between the fields of a counter if the field of the job changes', async () => {
    const tenant = `projected-${++tenants}`;
    const job = jobOf(tenant, 2);
    await records.submit({ job, maxOpenJobs: 10 });
    await records.update({ tenant, id: job.id }, (now) => ({
      job: withRequest(now, { model: 'gpt-image-2' }),
    }));
    expect(await counters(tenant)).toEqual({ 'gpt-image-1': '0', 'gpt-image-2': '2' });
  });

  it('removes a record from an added index when it is removed, and retains the counter', async () => {
    const tenant = `projected-${++tenants}`;
    const job = jobOf(tenant, 2);
    await records.submit({ job, maxOpenJobs: 10 });
    await records.remove(job);
    expect(await scoreOf(job)).toBeNull();
    expect(await counters(tenant)).toEqual({ 'gpt-image-1': '2' });
  });
});
