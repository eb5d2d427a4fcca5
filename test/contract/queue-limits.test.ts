import { describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun, finish } from '../../src/domain/job-moves.ts';
import { createdAt, queuedJob, retention } from '../support/jobs.ts';
import { connectRecords } from '../support/records.ts';

const { store, records, freshTenant } = await connectRecords();

function submitterOf(tenant: string) {
  return async (keyId: string, limits: { key?: number; tenant?: number }, more: Partial<ImageJob> = {}) => {
    const job = { ...queuedJob({ tenant }), keyId, ...more };
    const queueLimits = (['key', 'tenant'] as const).flatMap((owner) => {
      const limit = limits[owner];
      return limit === undefined ? [] : [{ owner, limit }];
    });
    return { job, outcome: await records.submit({ job, maxOpenJobs: 1_000, queueLimits }) };
  };
}

describe('the limits of waiting jobs', () => {
  it('accepts as many of 100 concurrent jobs as the limit of the key allows', async () => {
    const submit = submitterOf(freshTenant());
    const submitted = await Promise.all(Array.from({ length: 100 }, () => submit('key_1', { key: 30 })));
    const kinds = submitted.map(({ outcome }) => outcome.kind);
    expect(kinds.filter((kind) => kind === 'created')).toHaveLength(30);
    expect(submitted.find(({ outcome }) => outcome.kind !== 'created')?.outcome).toEqual({
      kind: 'queued_limit',
      limit: { owner: 'key', limit: 30 },
    });
    expect((await submit('key_2', { key: 30 })).outcome.kind).toBe('created');
  });

  it('accepts as many of 100 concurrent jobs of several keys as the limit of the tenant allows', async () => {
    const submit = submitterOf(freshTenant());
    const submitted = await Promise.all(
      Array.from({ length: 100 }, (_, no) => submit(`key_${no % 3}`, { tenant: 20 })),
    );
    expect(submitted.filter(({ outcome }) => outcome.kind === 'created')).toHaveLength(20);
  });

  it('counts only jobs that wait: a job that starts or is canceled makes room for another', async () => {
    const submit = submitterOf(freshTenant());
    const limits = { key: 1, tenant: 1 };
    const first = await submit('key_1', limits);
    expect((await submit('key_1', limits)).outcome.kind).toBe('queued_limit');
    await records.update(first.job, (job) => ({ job: beginRun(job, createdAt) }));
    const second = await submit('key_1', limits);
    expect(second.outcome.kind).toBe('created');
    expect((await submit('key_1', limits)).outcome.kind).toBe('queued_limit');
    await records.update(second.job, (job) => ({
      job: finish(job, 'canceled', { nowMs: createdAt, retention }),
    }));
    expect((await submit('key_1', limits)).outcome.kind).toBe('created');
  });

  it('counts waiting enhancements for the tenant as for their keys, also among jobs that arrive together', async () => {
    const submit = submitterOf(freshTenant());
    const mixed = await Promise.all(
      Array.from({ length: 30 }, (_, no) =>
        submit(`key_${no % 3}`, { tenant: 20 }, no % 2 === 0 ? { purpose: 'enhance' } : { hold: no }),
      ),
    );
    expect(mixed.filter(({ outcome }) => outcome.kind === 'created')).toHaveLength(20);
    for (const purpose of [{}, { purpose: 'enhance' }])
      expect((await submit('key_9', { tenant: 20 }, purpose)).outcome.kind).toBe('queued_limit');
    const enhancement = mixed[0]?.job ?? queuedJob();
    await records.update(enhancement, (job) => ({ job: beginRun(job, createdAt) }));
    expect((await submit('key_9', { tenant: 20 })).outcome.kind).toBe('created');
  });

  it('counts no enhancement that an earlier release ran beside this one', async () => {
    const tenant = freshTenant();
    const submit = submitterOf(tenant);
    const { job } = await submit('key_1', { tenant: 1 }, { purpose: 'enhance' });
    expect((await submit('key_1', { tenant: 1 })).outcome.kind).toBe('queued_limit');
    await records.update(job, (now) => ({ job: finish(now, 'failed', { nowMs: createdAt, retention }) }));
    // Earlier releases do not know the index, so they leave the entry.
    await store.redis.zadd(store.keys.waitingEnhancements(tenant), 0, job.id);
    expect((await submit('key_1', { tenant: 1 })).outcome.kind).toBe('created');
    expect((await submit('key_1', { tenant: 1 })).outcome.kind).toBe('queued_limit');
    expect(await store.redis.zcard(store.keys.waitingEnhancements(tenant))).toBe(0);
  });

  it('reads two sizes for the limit of a tenant, and not the counters of its keys, of which there may be thousands', async () => {
    const tenant = freshTenant();
    await store.redis.hset(store.keys.load(tenant), 'key_other.queued', 1_000);
    expect((await submitterOf(tenant)('key_1', { tenant: 1 })).outcome.kind).toBe('created');
  });

  it('replays a job with its idempotency key although the limit is reached', async () => {
    const tenant = freshTenant();
    const job = { ...queuedJob({ tenant }), keyId: 'key_1' };
    const claim = { keyHash: 'h', fingerprint: 'f', ttlMs: 60_000 };
    const submit = () =>
      records.submit({ job, claim, maxOpenJobs: 9, queueLimits: [{ owner: 'key', limit: 1 }] });
    expect((await submit()).kind).toBe('created');
    expect((await submit()).kind).toBe('replayed');
  });
});
