import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { erase } from '../../src/domain/job-erasure.ts';
import { createUnarchivedJobs } from '../../src/outbound/records/unarchived-jobs.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../support/jobs.ts';
import { claimOf, connectRecords } from '../support/records.ts';

const { store, records, freshTenant, submit } = await connectRecords();

describe('submitting a job', () => {
  it('stores a submitted job unchanged', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant(), request: { metadata: { user: 'ada' } } }));
    expect(await records.get(job.tenant, job.id)).toEqual(job);
    expect(await records.tenants()).toContain(job.tenant);
  });

  it('creates one job for 200 concurrent claims of one idempotency key and returns it to every caller', async () => {
    const tenant = freshTenant();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, () =>
        records.submit({
          job: queuedJob({ tenant }),
          claim: claimOf('order-1'),
          maxOpenJobs: 9,
        }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.kind === 'created')).toHaveLength(1);
    const replayed = outcomes.flatMap((outcome) => (outcome.kind === 'replayed' ? [outcome.job.id] : []));
    expect(replayed).toHaveLength(199);
    const { jobs } = await records.list(tenant, { limit: 10 });
    expect(new Set(replayed)).toEqual(new Set(jobs.map((job) => job.id)));
    expect(await records.countOpen(tenant)).toBe(1);
  });

  it('replays the job of a used idempotency key in whatever state the job is', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }), claimOf('k'));
    const ended = await records.update(job, (now) => ({ job: finishedJob(now) }));
    const again = await records.submit({
      job: queuedJob({ tenant: job.tenant }),
      claim: claimOf('k'),
      maxOpenJobs: 9,
    });
    expect(again).toEqual({ kind: 'replayed', job: ended });
  });

  it('replays the stored job if a job with the same id is submitted again', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }));
    const again = await records.submit({ job: { ...job, updatedAt: job.updatedAt + 1 }, maxOpenJobs: 9 });
    expect(again).toEqual({ kind: 'replayed', job });
    expect(await records.countOpen(job.tenant)).toBe(1);
  });

  it('refuses a different request with a used idempotency key and stores nothing', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }), claimOf('k', 'one'));
    const other = queuedJob({ tenant: job.tenant });
    expect(await records.submit({ job: other, claim: claimOf('k', 'two'), maxOpenJobs: 9 })).toEqual({
      kind: 'key_reused',
    });
    expect(await records.get(job.tenant, other.id)).toBeNull();
    expect(await records.countOpen(job.tenant)).toBe(1);
  });

  it('replays the job of a claim to which a newer release has added parts', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }), claimOf('k'));
    const claim = claimOf('k');
    await store.redis.append(store.keys.idempotency(job.tenant, claim.keyHash), ' 1790000000000');
    const again = { job: queuedJob({ tenant: job.tenant }), claim, maxOpenJobs: 9 };
    expect(await records.submit(again)).toMatchObject({ kind: 'replayed', job: { id: job.id } });
    expect(await records.findByKey(job.tenant, claim)).toMatchObject({ kind: 'replayed' });
  });

  it('separates the same idempotency key of different tenants', async () => {
    await submit(queuedJob({ tenant: freshTenant() }), claimOf('k', 'one'));
    await submit(queuedJob({ tenant: freshTenant() }), claimOf('k', 'two'));
  });

  it('stores neither a job nor a claim if the source of an input is deleted or erased', async () => {
    const tenant = freshTenant();
    const [stored, erased] = [await submit(queuedJob({ tenant })), await submit(queuedJob({ tenant }))];
    await records.update(erased, (job) => ({ job: erase(job, createdAt, retention) }));
    const jobSource = (id: string) => ({ kind: 'job', id, pointer: '/images/0' }) as const;
    const gone = [
      jobSource(erased.id),
      jobSource('img_none'),
      { ...jobSource('upl_none'), kind: 'upload' },
    ] as const;
    for (const source of gone) {
      const job = queuedJob({ tenant });
      const sources = [jobSource(stored.id), source];
      const outcome = await records.submit({ job, claim: claimOf('k'), maxOpenJobs: 9, sources });
      expect(outcome).toEqual({ kind: 'source_gone', source });
      expect(await records.get(tenant, job.id)).toBeNull();
    }
    const job = queuedJob({ tenant, request: { metadata: { erasedAt: '1' } } });
    const valid = { job, claim: claimOf('k'), maxOpenJobs: 9, sources: [jobSource(stored.id)] };
    expect(await records.submit(valid)).toEqual({ kind: 'created' });
    expect(await records.submit({ ...valid, sources: gone })).toMatchObject({ kind: 'replayed' });
    const child = { job: queuedJob({ tenant }), maxOpenJobs: 9, sources: [jobSource(job.id)] };
    expect(await records.submit(child)).toEqual({ kind: 'created' });
  });

  it('stores neither a job nor a claim if the queue is full', async () => {
    const tenant = freshTenant();
    const first = await submit(queuedJob({ tenant }), undefined, 1);
    const second = queuedJob({ tenant });
    const full = { job: second, claim: claimOf('k'), maxOpenJobs: 1 };
    expect(await records.submit(full)).toEqual({ kind: 'queue_full' });
    expect(await records.get(tenant, second.id)).toBeNull();
    await records.update({ tenant, id: first.id }, (now) => ({ job: finishedJob(now) }));
    expect((await records.submit(full)).kind).toBe('created');
  });

  it('never exceeds the limit of open jobs with concurrent submissions', async () => {
    const tenant = freshTenant();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => records.submit({ job: queuedJob({ tenant }), maxOpenJobs: 7 })),
    );
    expect(outcomes.filter((outcome) => outcome.kind === 'created')).toHaveLength(7);
    expect(await records.countOpen(tenant)).toBe(7);
  });

  it('decides each job of a batch separately, in the order of the batch', async () => {
    const tenant = freshTenant();
    const fresh = () => queuedJob({ tenant });
    const [first, same, other, second, third] = [fresh(), fresh(), fresh(), fresh(), fresh()];
    const outcomes = await Promise.all(
      [
        { job: first, claim: claimOf('k', 'one') },
        { job: same, claim: claimOf('k', 'one') },
        { job: other, claim: claimOf('k', 'two') },
        { job: second },
        { job: third, claim: claimOf('l') },
      ].map((generate) => records.submit({ ...generate, maxOpenJobs: 2 })),
    );
    expect(outcomes).toEqual([
      { kind: 'created' },
      { kind: 'replayed', job: first },
      { kind: 'key_reused' },
      { kind: 'created' },
      { kind: 'queue_full' },
    ]);
    const { jobs } = await records.list(tenant, { limit: 10 });
    expect(jobs.map((job) => job.id).sort()).toEqual([first.id, second.id].sort());
  });

  it('adds each job of a batch to its own indexes only', async () => {
    const tenant = freshTenant();
    const [ada, plain, bob] = [
      queuedJob({ tenant, request: { model: 'one', metadata: { user: 'ada' } } }),
      queuedJob({ tenant, request: { model: 'two' } }),
      queuedJob({ tenant, request: { model: 'one', metadata: { user: 'bob' } } }),
    ];
    await Promise.all([ada, plain, bob].map((job) => submit(job)));
    const { redis, keys } = store;
    const members = async (index: string) => (await redis.zrange(index, '0', '-1')).sort();
    expect(await members(keys.jobs(tenant))).toEqual([ada.id, plain.id, bob.id].sort());
    expect(await members(keys.status(tenant, 'queued'))).toEqual([ada.id, plain.id, bob.id].sort());
    expect(await members(keys.model(tenant, 'one'))).toEqual([ada.id, bob.id].sort());
    expect(await members(keys.model(tenant, 'two'))).toEqual([plain.id]);
    expect(await members(keys.metadata(tenant, 'user', 'ada'))).toEqual([ada.id]);
    expect(await members(keys.metadata(tenant, 'user', 'bob'))).toEqual([bob.id]);
  });

  it('replays a job even if the queue is full', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }), claimOf('k'), 1);
    const again = await records.submit({
      job: queuedJob({ tenant: job.tenant }),
      claim: claimOf('k'),
      maxOpenJobs: 1,
    });
    expect(again).toMatchObject({ kind: 'replayed', job: { id: job.id } });
  });

  it('reports an idempotency key as used even if its record is gone', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }), claimOf('k', 'old'));
    await records.remove(job);
    const again = (fingerprint: string) =>
      records.submit({
        job: queuedJob({ tenant: job.tenant }),
        claim: claimOf('k', fingerprint),
        maxOpenJobs: 9,
      });
    expect(await again('old')).toEqual({ kind: 'gone' });
    expect(await again('other')).toEqual({ kind: 'key_reused' });
    expect(await records.countOpen(job.tenant)).toBe(0);
  });

  it('frees the idempotency key of a job that cost nothing with its record, but not before 24 h after the submission', async () => {
    const dayMs = 24 * 3_600_000;
    const tenant = freshTenant();
    const removeAfter = async (key: string, ageMs: number) => {
      const claim = { ...claimOf(key), ttlMs: 90 * dayMs };
      const job = await submit({ ...queuedJob({ tenant }), claim }, claim);
      const name = store.keys.idempotency(tenant, claim.keyHash);
      await store.redis.pexpire(name, claim.ttlMs - ageMs);
      await records.remove(job);
      return store.redis.pttl(name);
    };
    expect(await removeAfter('old', dayMs)).toBe(-2);
    expect(await records.findByKey(tenant, claimOf('old'))).toBeNull();
    const remainingMs = await removeAfter('fresh', dayMs - 60_000);
    expect(await records.findByKey(tenant, claimOf('fresh'))).toEqual({ kind: 'gone' });
    expect(remainingMs).toBeLessThanOrEqual(60_000);
    expect(remainingMs).toBeGreaterThan(30_000);
  });

  it('leaves the idempotency key of a paid job when its record is removed, so that a late retry pays nothing', async () => {
    const job = { ...queuedJob({ tenant: freshTenant() }), claim: claimOf('k') };
    await submit(job, claimOf('k'));
    const ended = await records.update(job, (now) => ({ job: finishedJob(now) }));
    if (!ended) throw new Error('the job is gone');
    await createUnarchivedJobs(store.redis, store.keys).markArchived(job.tenant, [ended]);
    expect(await records.remove(ended)).toBe(true);
    expect(await records.findByKey(job.tenant, claimOf('k'))).toEqual({ kind: 'gone' });
  });

  it('leaves an idempotency key that names a later job when the record of the earlier job is removed', async () => {
    const tenant = freshTenant();
    const earlier = { ...queuedJob({ tenant }), claim: claimOf('k') };
    await submit(earlier, claimOf('k'));
    await store.redis.del(store.keys.idempotency(tenant, claimOf('k').keyHash));
    const later = await submit(queuedJob({ tenant }), claimOf('k'));
    await records.remove(earlier);
    expect(await records.findByKey(tenant, claimOf('k'))).toEqual({ kind: 'replayed', job: later });
  });

  it('restores the tenant in the list of tenants after a loss of data', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const tenant = freshTenant();
    await submit(queuedJob({ tenant }));
    await store.redis.del(store.keys.tenants);
    vi.advanceTimersByTime(60_000);
    await submit(queuedJob({ tenant }));
    expect(await records.tenants()).toContain(tenant);
  });

  it('looks up a claim without creating one', async () => {
    const tenant = freshTenant();
    expect(await records.findByKey(tenant, claimOf('k'))).toBeNull();
    const job = await submit(queuedJob({ tenant }), claimOf('k'));
    expect(await records.findByKey(tenant, claimOf('k'))).toEqual({ kind: 'replayed', job });
    expect(await records.findByKey(tenant, claimOf('k', 'other'))).toEqual({ kind: 'key_reused' });
    await records.remove(job);
    expect(await records.findByKey(tenant, claimOf('k'))).toEqual({ kind: 'gone' });
  });
});
