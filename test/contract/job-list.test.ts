import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageJob, JobStatus } from '../../src/domain/image-job.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import { erase } from '../../src/domain/job-erasure.ts';
import { beginRun, finish } from '../../src/domain/job-moves.ts';
import type { JobListQuery, JobStore } from '../../src/domain/ports.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../support/jobs.ts';
import { connectTestStore, freshTenant } from '../support/store.ts';

let records: JobStore;

beforeAll(async () => {
  const { redis, keys } = await connectTestStore();
  records = createJobStore(redis, keys);
});

/** Submits a job created the given number of milliseconds after the first moment. */
async function add(tenant: string, atMs = 0, request: Partial<ImageRequest> = {}): Promise<string> {
  const job = queuedJob({ tenant, nowMs: createdAt + atMs, request });
  await records.submit({ job, maxOpenJobs: 100_000 });
  return job.id;
}

/** Reads all pages and checks the properties that hold for every page. */
async function allPages(tenant: string, query: JobListQuery, between = async () => {}): Promise<string[]> {
  const found: string[] = [];
  let beforeId: string | undefined;
  do {
    const page = await records.list(tenant, { ...query, ...(beforeId ? { beforeId } : {}) });
    expect(page.jobs.length).toBeLessThanOrEqual(query.limit);
    found.push(...page.jobs.map((job) => job.id));
    beforeId = page.nextBeforeId ?? undefined;
    await between();
  } while (beforeId !== undefined);
  return found;
}

const newestFirst = (ids: readonly string[]) => ids.toSorted((a, b) => (a < b ? 1 : -1));

describe('the list of jobs', () => {
  it('returns an empty list for a tenant without jobs', async () => {
    expect(await records.list('unknown', { limit: 10 })).toEqual({ jobs: [], nextBeforeId: null });
  });

  it('lists every job once, newest first, with any page size', async () => {
    const tenant = freshTenant();
    const added = await Promise.all(Array.from({ length: 25 }, (_, i) => add(tenant, i * 7)));
    for (const limit of [1, 4, 5, 24, 25, 26, 100])
      expect(await allPages(tenant, { limit })).toEqual(newestFirst(added));
  });

  it('returns smaller pages if records are large, and still lists every job once', async () => {
    const tenant = freshTenant();
    const prompt = '\u{1F98A}'.repeat(32_000);
    const added = await Promise.all(Array.from({ length: 45 }, (_, i) => add(tenant, i, { prompt })));
    const { jobs } = await records.list(tenant, { limit: 100 });
    expect(jobs.length).toBeGreaterThan(10);
    expect(jobs.length).toBeLessThan(45);
    expect(await allPages(tenant, { limit: 100 })).toEqual(newestFirst(added));
  });

  it('ends a page early if few of many large records match, and still lists every match once', async () => {
    const tenant = freshTenant();
    const prompt = '\u{1F98A}'.repeat(32_000);
    const model = 'gpt-image-2.5-flare';
    const first = await add(tenant, 0, { prompt, model });
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => add(tenant, 1 + i, { prompt, metadata: { generate: 'all' } })),
    );
    const last = await add(tenant, 100, { prompt, model, metadata: { generate: 'all' } });
    const query = { limit: 100, models: [model], metadata: { generate: 'all' } };
    expect((await records.list(tenant, query)).nextBeforeId).not.toBeNull();
    expect(await allPages(tenant, query)).toEqual([last]);
    expect(await allPages(tenant, { limit: 100, models: [model] })).toEqual([last, first]);
  });

  it('returns no cursor with a page that ends exactly at the last job', async () => {
    const tenant = freshTenant();
    await Promise.all([1, 2, 3, 4].map((i) => add(tenant, i)));
    expect((await records.list(tenant, { limit: 4 })).nextBeforeId).toBeNull();
    expect((await records.list(tenant, { limit: 3 })).nextBeforeId).not.toBeNull();
  });

  it('lists jobs without gaps or repetitions while jobs are being added', async () => {
    const tenant = freshTenant();
    const before = await Promise.all(Array.from({ length: 40 }, (_, i) => add(tenant, i)));
    let added = 0;
    const found = await allPages(tenant, { limit: 7 }, async () => {
      await Promise.all([add(tenant, 1_000 + added++), add(tenant, 1_000 + added++)]);
    });
    expect(found).toEqual(newestFirst(before));
    expect(added).toBeGreaterThan(10);
  });

  it('continues the list at the same position if the job of the cursor is removed', async () => {
    const tenant = freshTenant();
    const added = newestFirst(await Promise.all(Array.from({ length: 9 }, (_, i) => add(tenant, i))));
    const first = await records.list(tenant, { limit: 3 });
    const last = first.jobs.at(-1);
    if (last) await records.remove(last);
    const rest = await allPages(tenant, { limit: 3, beforeId: first.nextBeforeId ?? '' });
    expect(rest).toEqual(added.slice(3));
  });
});

describe('a filter of the list of jobs', () => {
  it('lists a job by its current status through its life', async () => {
    const tenant = freshTenant();
    const id = await add(tenant);
    const moves: [JobStatus, (job: ImageJob) => ImageJob][] = [
      ['queued', (job) => job],
      ['running', (job) => beginRun(job, createdAt + 1)],
      ['failed', (job) => finish(job, 'failed', { nowMs: createdAt + 2, retention })],
    ];
    for (const [status, move] of moves) {
      await records.update({ tenant, id }, (job) => ({ job: move(job) }));
      for (const asked of ['queued', 'running', 'failed', 'succeeded'] as const) {
        const { jobs } = await records.list(tenant, { limit: 5, status: asked });
        expect(jobs.map((job) => job.id)).toEqual(asked === status ? [id] : []);
      }
    }
  });

  it('lists jobs by the model of their requests', async () => {
    const tenant = freshTenant();
    const flare = await add(tenant, 1, { model: 'gpt-image-2.6-flare' });
    await add(tenant, 2);
    expect(await allPages(tenant, { limit: 5, models: ['gpt-image-2.6-flare'] })).toEqual([flare]);
    expect(await allPages(tenant, { limit: 5, models: ['gpt-image'] })).toEqual([]);
  });

  it('lists jobs by several model names, newest first, with any page size', async () => {
    const tenant = freshTenant();
    const names = ['gpt-image-2', 'gpt-image-2-2026-04-21', 'gpt-image-1'];
    const added = await Promise.all(
      Array.from({ length: 12 }, (_, i) => add(tenant, i, { model: names[i % 3] ?? '' })),
    );
    const wanted = newestFirst(added.filter((_, i) => i % 3 !== 2));
    for (const limit of [1, 3, 7, 8, 9]) {
      expect(await allPages(tenant, { limit, models: names.slice(0, 2) })).toEqual(wanted);
      expect(await allPages(tenant, { limit, models: names.slice(0, 2), status: 'queued' })).toEqual(wanted);
    }
  });

  it('lists only jobs with every requested metadata pair', async () => {
    const tenant = freshTenant();
    const both = await add(tenant, 1, { metadata: { customer: 'ada', campaign: 'spring' } });
    const one = await add(tenant, 2, { metadata: { customer: 'ada', campaign: 'autumn' } });
    await add(tenant, 3, { metadata: { customer: 'bob', campaign: 'spring' } });
    await add(tenant, 4);
    const list = (metadata: Record<string, string>) => allPages(tenant, { limit: 5, metadata });
    expect(await list({ customer: 'ada' })).toEqual([one, both]);
    expect(await list({ customer: 'ada', campaign: 'spring' })).toEqual([both]);
    expect(await list({ campaign: 'spring', customer: 'ada' })).toEqual([both]);
    expect(await list({ customer: 'bob', campaign: 'autumn' })).toEqual([]);
    expect(await list({ customer: 'a' })).toEqual([]);
    expect(await list({ ada: 'customer' })).toEqual([]);
  });

  it('distinguishes metadata keys and values that contain separators', async () => {
    const tenant = freshTenant();
    const tricky = await add(tenant, 1, { metadata: { 'a":"b': 'c', '{x}': ':*' } });
    await add(tenant, 2, { metadata: { a: 'b":"c' } });
    expect(await allPages(tenant, { limit: 5, metadata: { 'a":"b': 'c' } })).toEqual([tricky]);
    expect(await allPages(tenant, { limit: 5, metadata: { '{x}': ':*' } })).toEqual([tricky]);
  });

  it('excludes jobs at exactly the given times', async () => {
    const tenant = freshTenant();
    const [, second, third] = [await add(tenant, 10), await add(tenant, 20), await add(tenant, 30)];
    const [first] = (await allPages(tenant, { limit: 5 })).slice(-1);
    const list = (query: Omit<JobListQuery, 'limit'>) => allPages(tenant, { limit: 5, ...query });
    expect(await list({ createdAfterMs: createdAt + 10 })).toEqual([third, second]);
    expect(await list({ createdBeforeMs: createdAt + 30 })).toEqual([second, first]);
    expect(await list({ createdAfterMs: createdAt + 10, createdBeforeMs: createdAt + 30 })).toEqual([second]);
    expect(await list({ createdAfterMs: createdAt + 9, createdBeforeMs: createdAt + 11 })).toEqual([first]);
    expect(await list({ createdAfterMs: createdAt + 30 })).toEqual([]);
    expect(await list({ createdAfterMs: createdAt + 30, createdBeforeMs: createdAt })).toEqual([]);
    expect(await list({ createdAfterMs: -5 })).toHaveLength(3);
  });

  it('combines two filters on every page', async () => {
    const tenant = freshTenant();
    const wanted: string[] = [];
    for (let i = 0; i < 60; i++) {
      const id = await add(tenant, i, {
        model: i % 2 === 0 ? 'a' : 'b',
        metadata: { customer: i % 3 === 0 ? 'ada' : 'bob' },
      });
      if (i % 5 === 0) await records.update({ tenant, id }, (job) => ({ job: finishedJob(job) }));
      if (i % 2 === 0 && i % 3 === 0 && i % 5 === 0 && i > 0) wanted.push(id);
    }
    const query = { models: ['a'], metadata: { customer: 'ada' }, status: 'succeeded' } as const;
    const found = await allPages(tenant, { limit: 1, createdAfterMs: createdAt, ...query });
    expect(found).toEqual(newestFirst(wanted));
    expect(found).toHaveLength(1);
  });

  it('ends a page early, instead of reading all records, if hardly any job matches', async () => {
    const tenant = freshTenant();
    const rare = await add(tenant, 0, { model: 'rare', metadata: { all: 'yes' } });
    await Promise.all(
      Array.from({ length: 1_150 }, (_, i) => add(tenant, i + 1, { metadata: { all: 'yes' } })),
    );
    const query: JobListQuery = { limit: 100, models: ['rare'], metadata: { all: 'yes' } };
    const first = await records.list(tenant, query);
    expect(first.jobs).toEqual([]);
    expect(first.nextBeforeId).not.toBeNull();
    expect(await allPages(tenant, query)).toEqual([rare]);
  });
});

describe('an erased job', () => {
  it('removes an erased job from every list and leaves the other jobs', async () => {
    const tenant = freshTenant();
    const request = { metadata: { customer: 'ada' } };
    const [gone, stays] = [await add(tenant, 1, request), await add(tenant, 2, request)];
    await records.update({ tenant, id: gone }, (job) => ({ job: erase(job, createdAt + 5, retention) }));
    for (const query of [{}, { metadata: { customer: 'ada' } }, { models: ['gpt-image-2'] }])
      expect(await allPages(tenant, { limit: 5, ...query })).toEqual([stays]);
    expect(await allPages(tenant, { limit: 5, status: 'canceled' })).toEqual([]);
    expect(await records.get(tenant, gone)).toMatchObject({ erasedAt: createdAt + 5 });
  });
});
