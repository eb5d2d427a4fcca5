import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { dueAt } from '../../src/domain/job-deadlines.ts';
import { erase, purgeMedia } from '../../src/domain/job-erasure.ts';
import { beginRun, finish } from '../../src/domain/job-moves.ts';
import { ids } from '../../src/lib/ids.ts';
import { createUnarchivedJobs } from '../../src/outbound/records/unarchived-jobs.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../support/jobs.ts';
import { claimOf, connectRecords } from '../support/records.ts';

const { store, records, freshTenant, submit } = await connectRecords();
const unarchived = createUnarchivedJobs(store.redis, store.keys);

describe('another tenant', () => {
  it('hides the job of one tenant from reads, updates and lists of another tenant', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }), claimOf('k'));
    const other = freshTenant();
    expect(await records.get(other, job.id)).toBeNull();
    expect(
      await records.update({ tenant: other, id: job.id }, (now) => ({ job: finishedJob(now) })),
    ).toBeNull();
    expect(await records.findByKey(other, claimOf('k'))).toBeNull();
    expect(await records.list(other, { limit: 10 })).toEqual({ jobs: [], nextBeforeId: null });
    expect(await records.openJobs(other, { offset: 0, limit: 10 })).toEqual([]);
    await records.remove({ ...job, tenant: other });
    expect(await records.get(job.tenant, job.id)).toEqual(job);
  });

  it('keeps tenants apart whose names share a prefix or a suffix', async () => {
    const job = await submit(queuedJob({ tenant: 'tenant' }));
    for (const other of ['tenan', 'tenant2', 'xtenant', 'TENANT'])
      expect(await records.get(other, job.id)).toBeNull();
  });
});

describe('updating a job', () => {
  it('loses no change of 50 concurrent updates of a job', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }));
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        records.update(
          job,
          (now) => ({ job: { ...now, warnings: [...(now.warnings ?? []), `writer ${i}`] } }),
          { known: i % 2 === 0 ? job : undefined },
        ),
      ),
    );
    const after = await records.get(job.tenant, job.id);
    expect(new Set(after?.warnings).size).toBe(50);
    expect(after?.version).toBe(51);
  });

  it('leaves the record unchanged if the update decides against a change', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }));
    expect(await records.update(job, () => null)).toEqual(job);
    expect((await records.get(job.tenant, job.id))?.version).toBe(1);
  });

  it('writes nothing if the update throws, and rethrows its error', async () => {
    const job = await submit(queuedJob({ tenant: freshTenant() }));
    const ended = await records.update(job, (now) => ({ job: finishedJob(now) }));
    const late = records.update(
      job,
      (now) => ({ job: finish(now, 'failed', { nowMs: createdAt, retention }) }),
      { known: job },
    );
    await expect(late).rejects.toMatchObject({ code: 'already_terminal' });
    expect(await records.get(job.tenant, job.id)).toEqual(ended);
  });

  it('returns nothing for the update of a missing job', async () => {
    const never = ids.job(createdAt);
    expect(await records.update({ tenant: 't', id: never }, (now) => ({ job: now }))).toBeNull();
    expect(
      await records.update({ tenant: 't', id: never }, (now) => ({ job: now }), {
        known: queuedJob({ tenant: 't' }),
      }),
    ).toBeNull();
  });

  it('removes a job from the list of unfinished jobs when it ends', async () => {
    const tenant = freshTenant();
    const [a, b] = [await submit(queuedJob({ tenant })), await submit(queuedJob({ tenant }))];
    await records.update({ tenant, id: a.id }, (now) => ({ job: beginRun(now, createdAt + 5) }));
    expect(await records.openJobs(tenant, { offset: 0, limit: 10 })).toEqual([
      { id: b.id, changedAt: createdAt },
      { id: a.id, changedAt: createdAt + 5 },
    ]);
    expect(await records.openJobs(tenant, { offset: 1, limit: 10 })).toHaveLength(1);
    for (const { id } of [a, b]) await records.update({ tenant, id }, (now) => ({ job: finishedJob(now) }));
    expect(await records.openJobs(tenant, { offset: 0, limit: 10 })).toEqual([]);
    expect(await records.countOpen(tenant)).toBe(0);
  });
});

describe('the oldest job in a status', () => {
  it('returns the job that was created first as the oldest in a status, regardless of later changes', async () => {
    const tenant = freshTenant();
    const created = [3_000, 1_000, 2_000].map((ms) => createdAt + ms);
    const [, first] = await Promise.all(created.map((nowMs) => submit(queuedJob({ tenant, nowMs }))));
    const oldest = async () => [
      await records.oldestCreatedAt(tenant, 'queued'),
      await records.oldestCreatedAt(tenant, 'running'),
    ];
    expect(await oldest()).toEqual([createdAt + 1_000, null]);
    await records.update({ tenant, id: first?.id ?? '' }, (now) => ({
      job: beginRun(now, createdAt + 9_000),
    }));
    expect(await oldest()).toEqual([createdAt + 2_000, createdAt + 1_000]);
    await records.update({ tenant, id: first?.id ?? '' }, (now) => ({ job: finishedJob(now) }));
    expect(await oldest()).toEqual([createdAt + 2_000, null]);
    expect(await records.oldestCreatedAt(freshTenant(), 'queued')).toBeNull();
  });
});

describe('jobs that need attention', () => {
  it('lists a job as due at the deadline of its current state: queue TTL, run timeout, image TTL, record TTL', async () => {
    const tenant = freshTenant();
    const job = await submit(queuedJob({ tenant }));
    const dueExactlyAt = async (moment: number | undefined) => {
      if (moment === undefined) throw new Error('the job never needs attention');
      expect(await records.dueJobs(tenant, moment - 1, { offset: 0, limit: 10 })).toEqual([]);
      expect(await records.dueJobs(tenant, moment, { offset: 0, limit: 10 })).toEqual([job.id]);
    };
    const moves: ((now: ImageJob) => ImageJob)[] = [
      (now) => beginRun(now, createdAt + 1_000),
      (now) => finish(now, 'succeeded', { nowMs: createdAt + 2_000, retention }),
      (now) => purgeMedia(now, createdAt + 3_000),
    ];
    await dueExactlyAt(dueAt(job));
    const moments = [dueAt(job)];
    for (const move of moves) {
      const next = await records.update({ tenant, id: job.id }, (now) => ({ job: move(now) }));
      await dueExactlyAt(next ? dueAt(next) : undefined);
      moments.push(next ? dueAt(next) : undefined);
    }
    expect(new Set(moments).size).toBe(4);
  });

  it('knows which jobs are unfinished', async () => {
    const tenant = freshTenant();
    const [queued, running, ended] = [
      await submit(queuedJob({ tenant })),
      await submit(queuedJob({ tenant })),
      await submit(queuedJob({ tenant })),
    ];
    await records.update({ tenant, id: running.id }, (now) => ({ job: beginRun(now, createdAt) }));
    await records.update({ tenant, id: ended.id }, (now) => ({
      job: finish(now, 'canceled', { nowMs: createdAt, retention }),
    }));
    const ids = [ended.id, queued.id, 'img_missing', running.id];
    expect(await records.areOpen(tenant, ids)).toEqual([false, true, false, true]);
    expect(await records.areOpen(tenant, [])).toEqual([]);
  });

  it('lists due jobs in the order in which they became due, up to the limit', async () => {
    const tenant = freshTenant();
    const jobs = [];
    for (const queue_ttl_s of [30, 10, 20])
      jobs.push(await submit(queuedJob({ tenant, request: { queue_ttl_s } })));
    const due = await records.dueJobs(tenant, createdAt + 60_000, { offset: 0, limit: 10 });
    expect(due).toEqual([jobs[1]?.id, jobs[2]?.id, jobs[0]?.id]);
    expect(await records.dueJobs(tenant, createdAt + 60_000, { offset: 0, limit: 2 })).toEqual(
      due.slice(0, 2),
    );
    expect(await records.dueJobs(tenant, createdAt + 60_000, { offset: 2, limit: 2 })).toEqual(due.slice(2));
  });
});

describe('removing a job', () => {
  it.each(['queued', 'running', 'ended', 'erased'] as const)(
    'leaves no key of a %s job behind but the counters of money',
    async (when) => {
      const job = await submit(
        queuedJob({ tenant: `gone-${when}`, request: { metadata: { a: '1', b: '2' } } }),
      );
      const moves: Record<typeof when, ((now: ImageJob) => ImageJob)[]> = {
        queued: [],
        running: [(now) => beginRun(now, createdAt + 1)],
        ended: [finishedJob],
        erased: [finishedJob, (now) => erase(now, createdAt + 99_999, retention)],
      };
      let last: ImageJob = job;
      for (const move of moves[when])
        last = (await records.update(job, (now) => ({ job: move(now) }))) ?? last;
      const before = (await store.keysLeft()).filter((key) => key.includes(`{gone-${when}}`));
      expect(before.length).toBeGreaterThan(1);
      // A record stays until its lines of the ledger are archived.
      await unarchived.markArchived(last.tenant, [last]);
      await records.remove(last);
      await records.remove(last);
      const left = (await store.keysLeft()).filter((key) => key.includes(`{gone-${when}}`));
      expect(left.filter((key) => !key.endsWith(':spend'))).toEqual([]);
      expect(await records.get(job.tenant, job.id)).toBeNull();
    },
  );

  it('leaves only keys of an idempotency claim that expire', async () => {
    const job = await submit(queuedJob({ tenant: 'gone-claim' }), claimOf('k'));
    await records.remove(job);
    const left = (await store.keysLeft()).filter((key) => key.includes('{gone-claim}'));
    expect(left).toHaveLength(1);
    const ttl = await store.redis.pttl(left[0] ?? '');
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(60_000);
  });
});
