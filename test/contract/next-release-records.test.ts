import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { erase } from '../../src/domain/job-erasure.ts';
import { beginRun, finish, requestCancel } from '../../src/domain/job-moves.ts';
import { createApiKeys } from '../../src/outbound/records/api-keys.ts';
import { createAuditLog } from '../../src/outbound/records/audit-log.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { apiKeyOf, auditBounds, keyAudit } from '../support/api-keys.ts';
import { createdAt, finishedJob, queuedJob, retention } from '../support/jobs.ts';
import { asNextRelease, nextRelease, writeRecord } from '../support/next-release.ts';
import { connectTestStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await connectTestStore();
});

const nowMs = createdAt + 60_000;
let tenants = 0;

/** Submits a job and rewrites its record as the next release would. */
async function newerJob(change: (job: ImageJob) => ImageJob = (job) => job) {
  const records = createJobStore(store.redis, store.keys);
  const submitted = queuedJob({ tenant: `next${++tenants}` });
  await records.submit({ job: submitted, maxOpenJobs: 10 });
  const job = asNextRelease(change(submitted));
  await writeRecord(store, job);
  return { records, job };
}

describe('a record of the next release', () => {
  it('reads a record of the next release with every unknown field and value', async () => {
    const { records, job } = await newerJob();
    expect(await records.get(job.tenant, job.id)).toEqual(job);
  });

  it('preserves the newer fields of a record through every update until its end', async () => {
    const { records, job } = await newerJob();
    const moves: ((now: ImageJob) => ImageJob)[] = [
      (now) => beginRun(now, nowMs),
      (now) => requestCancel(now, nowMs),
      (now) => finish(now, 'canceled', { nowMs, retention }),
    ];
    for (const move of moves) {
      await records.update(job, (now) => ({ job: move(now) }));
      const stored = await records.get(job.tenant, job.id);
      expect(stored).toMatchObject({ budgetHold: nextRelease.budgetHold, variants: nextRelease.variants });
      expect(stored?.attempts).toEqual([nextRelease.attempt]);
      expect(stored?.history[0]).toMatchObject({ by: 'next' });
    }
  });

  it('lists a record of the next release beside records of this release', async () => {
    const { records, job } = await newerJob();
    const own = queuedJob({ tenant: job.tenant, nowMs: createdAt + 1 });
    await records.submit({ job: own, maxOpenJobs: 10 });
    expect((await records.list(job.tenant, { limit: 10 })).jobs).toEqual([own, job]);
  });

  it('removes every text of a newer record when it is erased, and preserves times and amounts', async () => {
    const { records, job } = await newerJob((now) => ({ ...finishedJob(now), heldMicroUsd: 9 }) as ImageJob);
    await records.update(job, (now) => ({ job: erase(now, nowMs, retention) }));
    const stored = await records.get(job.tenant, job.id);
    expect(stored).toMatchObject({ heldMicroUsd: 9, finishedAt: job.finishedAt, images: job.images });
    expect(stored).not.toHaveProperty('budgetHold');
    expect(stored).not.toHaveProperty('variants');
    expect(JSON.stringify(stored)).not.toContain('lighthouse');
    expect(stored?.attempts.at(-1)).not.toHaveProperty('verdict');
    // The ledger needs the model, which the request no longer names.
    expect(stored?.attempts[0]).toEqual({ ...job.attempts[0], model: job.request?.model });
  });
});

describe('an unreadable record', () => {
  it('skips and reports an unreadable record in the list, and lists all others on every page', async () => {
    const reported: object[] = [];
    const records = createJobStore(store.redis, store.keys, {
      onUnreadable: (record) => reported.push(record),
    });
    const tenant = `next${++tenants}`;
    const jobs = Array.from({ length: 5 }, (_, i) => queuedJob({ tenant, nowMs: createdAt + i }));
    for (const job of jobs) await records.submit({ job, maxOpenJobs: 10 });
    for (const job of [jobs[1], jobs[4]])
      await store.redis.set(store.keys.job(tenant, job?.id ?? ''), '2!{}');
    const readable = [jobs[3], jobs[2], jobs[0]];
    expect((await records.list(tenant, { limit: 10 })).jobs).toEqual(readable);
    const error = expect.objectContaining({ code: 'internal' });
    expect(reported).toEqual([
      { kind: 'job', tenant, id: jobs[4]?.id, error },
      { kind: 'job', tenant, id: jobs[1]?.id, error },
    ]);
    const paged: unknown[] = [];
    for (let beforeId: string | undefined; ; ) {
      const page = await records.list(tenant, { limit: 1, beforeId });
      paged.push(...page.jobs);
      if (page.nextBeforeId === null) break;
      beforeId = page.nextBeforeId;
    }
    expect(paged).toEqual(readable);
  });

  it('never overwrites an unreadable record by an update', async () => {
    const { records, job } = await newerJob();
    await store.redis.set(store.keys.job(job.tenant, job.id), '2!{}');
    await expect(records.update(job, (now) => ({ job: beginRun(now, nowMs) }))).rejects.toMatchObject({
      code: 'internal',
    });
    // The job was read before its record became unreadable.
    await records.update(job, (now) => ({ job: beginRun(now, nowMs) }), { known: job }).catch(() => {});
    expect(await store.redis.get(store.keys.job(job.tenant, job.id))).toBe('2!{}');
  });
});

describe('an API key of the next release', () => {
  const record = { ...apiKeyOf('key_next', { scopes: ['images:read', 'batches'] }), quota: { images: 5 } };

  it('preserves the newer fields and scopes of an API key through an update by this release', async () => {
    const apiKeys = createApiKeys(store.redis, store.keys, { audit: auditBounds });
    await apiKeys.create({ record, audit: keyAudit(record) });
    expect(await apiKeys.get(record.id)).toEqual(record);
    await apiKeys.update(record.id, (now) => ({ record: { ...now, revokedAt: 5 }, audit: keyAudit(now) }));
    expect(await apiKeys.get(record.id)).toEqual({ ...record, version: 2, revokedAt: 5 });
  });

  it('skips and reports an unreadable API key in the list', async () => {
    const reported: object[] = [];
    const apiKeys = createApiKeys(store.redis, store.keys, {
      audit: auditBounds,
      onUnreadable: (each) => reported.push(each),
    });
    const [first, odd] = [apiKeyOf('key_first', { tenant: 'odd' }), apiKeyOf('key_odd', { tenant: 'odd' })];
    for (const each of [first, odd]) await apiKeys.create({ record: each, audit: keyAudit(each) });
    await store.redis.set(store.keys.apiKey('odd', 'key_odd'), '{"id":7}');
    const { keys } = await apiKeys.list({ tenant: 'odd', limit: 10 });
    expect(keys.map(({ id }) => id)).toEqual(['key_first']);
    expect(reported).toMatchObject([{ kind: 'api_key', tenant: 'odd', id: 'key_odd' }]);
  });
});

describe('an entry of the audit log of the next release', () => {
  it('is skipped and reported if this release cannot read it, and the pages after it are listed', async () => {
    const reported: object[] = [];
    const tenant = 'unreadable';
    const audit = createAuditLog(store.redis, store.keys, {
      audit: auditBounds,
      onUnreadable: (each) => reported.push(each),
    });
    const append = (id: string) => audit.append(tenant, keyAudit({ tenant, id }));
    await append('key_first');
    await store.redis.xadd(store.keys.audit(tenant), '*', 'entry', '{"at":"soon"}');
    await append('key_last');
    const found: string[] = [];
    for (let before: string | undefined, pages = 0; pages < 5; pages++) {
      const { entries, next } = await audit.list(tenant, { limit: 1, before, nowMs: Date.now() });
      found.push(...entries.map(({ entry }) => entry.target));
      if (next === null) break;
      before = next;
    }
    expect(found).toEqual(['key_last', 'key_first']);
    expect(reported).toMatchObject([{ kind: 'audit_entry', tenant }]);
  });
});
