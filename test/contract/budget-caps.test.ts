import { describe, expect, it } from 'vitest';
import { type BudgetCap, capsOf, refusalOfCaps } from '../../src/domain/budget.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { withHold } from '../../src/domain/job-money.ts';
import { createSpending } from '../../src/outbound/records/spending.ts';
import { createUnarchivedJobs } from '../../src/outbound/records/unarchived-jobs.ts';
import { attemptOf, createdAt, finishedJob, queuedJob } from '../support/jobs.ts';
import { claimOf, connectRecords } from '../support/records.ts';

const { store, records, freshTenant } = await connectRecords();
const spending = createSpending(store.redis, store.keys);
const unarchived = createUnarchivedJobs(store.redis, store.keys);

type Given = { window?: string; limit: number; soft?: boolean; owner?: 'key' | 'tenant' };

const capsFor = (...budgets: Given[]): BudgetCap[] => {
  const budgetsOf = (owner: 'key' | 'tenant') =>
    budgets
      .filter((each) => (each.owner ?? 'key') === owner)
      .map(({ window = 'day', limit, soft = false }) => ({ window, limitMicroUsd: limit, soft }));
  const policy = { key: { budgets: budgetsOf('key') }, tenant: { budgets: budgetsOf('tenant') } };
  return capsOf(policy, 'key_1', { acceptedAtMs: createdAt, nowMs: createdAt });
};
/** Returns a job that holds 100 micro-USD for each image. */
const jobOf = (tenant: string, { n = 1, keyId = 'key_1' } = {}): ImageJob =>
  withHold({ ...queuedJob({ tenant, request: { n } }), keyId, callBounds: { image: 100 } });
const submit = (job: ImageJob, caps?: BudgetCap[], maxOpenJobs = 10_000) =>
  records.submit({ job, caps, maxOpenJobs });
const figuresOf = async (tenant: string, caps: readonly BudgetCap[]) =>
  (await spending.read(tenant, caps)).map(({ heldMicroUsd, spentMicroUsd }) => [heldMicroUsd, spentMicroUsd]);

describe('a budget in the step that accepts a job', () => {
  it('accepts jobs up to the cap and refuses the rest with the figures of the cap, however many race', async () => {
    const tenant = freshTenant();
    const caps = capsFor({ limit: 750 });
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => submit(jobOf(tenant), caps)));
    expect(outcomes.filter(({ kind }) => kind === 'created')).toHaveLength(7);
    expect(outcomes.find(({ kind }) => kind === 'capped')).toEqual({
      kind: 'capped',
      refusal: { cap: caps[0], heldMicroUsd: 700, spentMicroUsd: 0 },
      hasMark: expect.any(Boolean),
    });
    expect(await figuresOf(tenant, caps)).toEqual([[700, 0]]);
    expect(await records.countOpen(tenant)).toBe(7);
  });

  it('checks every budget of the key and of the tenant, and names the one that does not fit', async () => {
    const tenant = freshTenant();
    const caps = capsFor(
      { limit: 10_000 },
      { window: 'month', limit: 900 },
      { owner: 'tenant', window: 'total', limit: 450 },
    );
    expect(await submit(jobOf(tenant, { n: 2 }), caps)).toMatchObject({ kind: 'created' });
    expect(await submit(jobOf(tenant, { n: 2, keyId: 'key_2' }), caps.slice(2))).toMatchObject({
      kind: 'created',
    });
    expect(await submit(jobOf(tenant), caps)).toMatchObject({
      kind: 'capped',
      refusal: { cap: { name: 'tenant_total' } },
    });
    expect(await submit(jobOf(tenant, { n: 8 }), caps.slice(0, 2))).toMatchObject({
      refusal: { cap: { name: 'key_month' }, heldMicroUsd: 200 },
    });
    expect(await figuresOf(tenant, caps)).toEqual([
      [200, 0],
      [200, 0],
      [400, 0],
    ]);
  });

  it('accepts a job that uses the last micro-USD, and no job of unknown cost after it', async () => {
    const tenant = freshTenant();
    const caps = capsFor({ limit: 100 });
    const unknown = () => ({ ...queuedJob({ tenant }), keyId: 'key_1' });
    expect(await submit(unknown(), caps)).toMatchObject({ kind: 'created' });
    expect(await submit(jobOf(tenant), caps)).toMatchObject({ kind: 'created' });
    expect(await submit(unknown(), caps)).toMatchObject({ kind: 'capped' });
  });

  it.each([
    [[{ limit: 100 }], 0],
    [[{ limit: 101 }], 0],
    [[{ limit: 199 }], 1],
    [[{ limit: 200 }], 1],
    [[{ limit: 300, soft: true }, { limit: 300 }, { owner: 'tenant', limit: 299 }], 2],
    [[{ limit: 0, soft: true }], 2],
  ] as const)('refuses by the budgets %o a job of %i images as its dry run says', async (budgets, n) => {
    const tenant = freshTenant();
    const caps = capsFor(...budgets);
    await submit(jobOf(tenant));
    const job = jobOf(tenant, { n });
    const refusal = refusalOfCaps(caps, await spending.read(tenant, caps), job.hold ?? 0);
    expect(await submit(job, caps)).toMatchObject(
      refusal ? { kind: 'capped', refusal } : { kind: 'created' },
    );
  });

  it('never refuses by a soft budget', async () => {
    const tenant = freshTenant();
    const caps = capsFor({ limit: 100, soft: true });
    expect(await submit(jobOf(tenant, { n: 3 }), caps)).toMatchObject({ kind: 'created' });
    expect(await submit(jobOf(tenant), caps)).toMatchObject({ kind: 'created' });
    expect(await figuresOf(tenant, caps)).toEqual([[400, 0]]);
  });

  it('holds nothing for a replayed request', async () => {
    const tenant = freshTenant();
    const caps = capsFor({ limit: 100 });
    const replay = () => records.submit({ job: jobOf(tenant), claim: claimOf('k'), caps, maxOpenJobs: 9 });
    const outcomes = await Promise.all(Array.from({ length: 20 }, replay));
    expect(outcomes.filter(({ kind }) => kind === 'replayed')).toHaveLength(19);
    expect(await figuresOf(tenant, caps)).toEqual([[100, 0]]);
  });

  it('counts a job in the day, the week and the month that accepted it, and in the total', async () => {
    const tenant = freshTenant();
    const windows = ['day', 'week', 'month', 'total'];
    const budgets = windows.map((window) => ({ window, limitMicroUsd: 1, soft: false }));
    const capsAt = (time: string) =>
      capsOf({ key: { budgets }, tenant: {} }, 'key_1', {
        acceptedAtMs: Date.parse(time),
        nowMs: Date.parse(time),
      });
    // A Saturday and the days around it. The month ends on the Monday after it.
    for (const [i, day] of ['2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30', '2026-12-01'].entries())
      await submit({ ...jobOf(tenant, { n: i + 1 }), createdAt: Date.parse(`${day}T12:00:00Z`) });
    const heldAt = async (time: string) => (await figuresOf(tenant, capsAt(time))).map(([held]) => held);
    expect(await heldAt('2026-11-29T23:59:59.999Z')).toEqual([300, 600, 1_000, 1_500]);
    expect(await heldAt('2026-11-30T00:00:00Z')).toEqual([400, 900, 1_000, 1_500]);
    expect(await heldAt('2026-12-01T00:00:00Z')).toEqual([500, 900, 500, 1_500]);
  });
});

describe('the money of a job that was accepted', () => {
  const caps = capsFor({ limit: 1_000 }, { owner: 'tenant', window: 'total', limit: 1_000 });
  const update = (job: ImageJob, change: (job: ImageJob) => ImageJob, capsOf?: () => Promise<BudgetCap[]>) =>
    records.update(job, (now) => ({ job: withHold(change(now)) }), { capsOf });

  it('moves from held to spent in the step that knows the cost', async () => {
    const tenant = freshTenant();
    const job = jobOf(tenant);
    await submit(job, caps);
    await update(job, finishedJob);
    expect(await figuresOf(tenant, caps)).toEqual([
      [0, 5_970],
      [0, 5_970],
    ]);
  });

  it('raises the hold for a further call only if it fits, and changes nothing otherwise', async () => {
    const tenant = freshTenant();
    const job = jobOf(tenant);
    await submit(job, caps);
    await update(job, (now) => ({ ...now, attempts: [attemptOf({ no: 1, state: 'uncertain' })] }));
    const again = (now: ImageJob) => ({
      ...now,
      attempts: [...now.attempts, attemptOf({ no: 2, state: 'calling' })],
    });
    const tight = async () => capsFor({ limit: 199 });
    await expect(update(job, again, tight)).rejects.toMatchObject({
      code: 'budget_exceeded',
      members: { budget: { name: 'key_day', held_micro_usd: 100 }, estimate_micro_usd: 100 },
    });
    expect((await records.get(tenant, job.id))?.attempts).toHaveLength(1);
    await update(job, again, async () => capsFor({ limit: 200 }));
    expect(await figuresOf(tenant, caps)).toEqual([
      [200, 0],
      [200, 0],
    ]);
  });

  it('becomes spent when the record is removed before the charge is settled', async () => {
    const tenant = freshTenant();
    const job = jobOf(tenant);
    await submit(job, caps);
    const ended = await update(job, (now) => ({
      ...now,
      status: 'failed',
      attempts: [attemptOf({ state: 'uncertain' })],
    }));
    expect(await store.redis.zrange(store.keys.unsettled(tenant), 0, '-1')).toEqual([job.id]);
    if (!ended) throw new Error('the job is gone');
    // A record stays until its lines of the ledger are archived. An outdated copy removes it as it is now.
    await unarchived.markArchived(tenant, [ended]);
    await records.remove(job);
    await records.remove(ended);
    expect(await figuresOf(tenant, caps)).toEqual([
      [0, 100],
      [0, 100],
    ]);
    expect(await store.redis.zcard(store.keys.unsettled(tenant))).toBe(0);
  });
});
