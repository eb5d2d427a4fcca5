import { describe, expect, it } from 'vitest';
import { type BudgetCap, capsOf } from '../../src/domain/budget.ts';
import { windowNamesAt } from '../../src/domain/budget-window.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { withHold } from '../../src/domain/job-money.ts';
import { createBudgetThresholds } from '../../src/outbound/records/budget-thresholds.ts';
import { createSpending } from '../../src/outbound/records/spending.ts';
import { attemptOf, createdAt, queuedJob } from '../support/jobs.ts';
import { connectRecords } from '../support/records.ts';

const { store, records, freshTenant } = await connectRecords();
const spending = createSpending(store.redis, store.keys);
const dayMs = 86_400_000;

/** Returns the cap of a daily budget of the key. */
const capsFor = ({ limit, soft = false }: { limit: number; soft?: boolean }): BudgetCap[] => {
  const policy = { key: { budgets: [{ window: 'day', limitMicroUsd: limit, soft }] }, tenant: {} };
  return capsOf(policy, 'key_1', { acceptedAtMs: createdAt, nowMs: createdAt });
};
/** Returns a job that holds 100 micro-USD for each image. */
const jobOf = (tenant: string, { n = 1 } = {}): ImageJob =>
  withHold({ ...queuedJob({ tenant, request: { n } }), keyId: 'key_1', callBounds: { image: 100 } });
const submit = (job: ImageJob, caps?: BudgetCap[]) => records.submit({ job, caps, maxOpenJobs: 10_000 });
const figuresOf = async (tenant: string, caps: readonly BudgetCap[]) =>
  (await spending.read(tenant, caps)).map(({ heldMicroUsd, spentMicroUsd }) => [heldMicroUsd, spentMicroUsd]);

describe('a threshold of a budget', () => {
  const thresholds = createBudgetThresholds(store.redis, store.keys);
  const marksOf = async (tenant: string) =>
    (await thresholds.list(tenant, 20)).map(({ percent, limitMicroUsd }) => [percent, limitMicroUsd]);
  /** Reports all marks, and returns the shares that were reported, with their limits. */
  async function report(tenant: string): Promise<[number, number | undefined][]> {
    await store.redis.sadd(store.keys.subscribers(tenant, 'budget.threshold'), 'whk_1');
    const reported: [number, number | undefined][] = [];
    for (const mark of await thresholds.list(tenant, 20)) {
      const { percent, limitMicroUsd = 0, name } = mark;
      const event = { id: `evt_${name.replaceAll(' ', '_')}`, limitMicroUsd, body: '{}' };
      if (await thresholds.resolve(tenant, mark, event)) reported.push([percent, limitMicroUsd]);
    }
    return reported;
  }
  const soft = (limit: number) => capsFor({ limit, soft: true });
  /** Adds an amount to the money of a job that is accepted, as a settlement does. */
  const settle = (job: ImageJob, costMicroUsd: number, caps?: BudgetCap[]) => {
    let hasMark = false;
    const attempts = [attemptOf({ state: 'stored', costMicroUsd })];
    return records
      .update(job, (now) => ({ job: withHold({ ...now, attempts }) }), {
        ...(caps ? { budgetsOf: async () => caps } : {}),
        onMark: () => {
          hasMark = true;
        },
      })
      .then(() => hasMark);
  };

  it('that a newer release marked for its own windows and owners stays, and hides none of this release', async () => {
    const tenant = freshTenant();
    const newer = ['t hh h499032 50 1000', 'team_1 sd d20788 80 1000', 't sd d20788 50 1000 flex'];
    for (const name of newer) await store.redis.zadd(store.keys.thresholds(tenant), 1, name);
    await submit(jobOf(tenant, { n: 5 }), soft(1_000));
    expect((await thresholds.list(tenant, 1)).map(({ percent }) => percent)).toEqual([50]);
    expect(await report(tenant)).toEqual([[50, 1_000]]);
    expect(await store.redis.zrange(store.keys.thresholds(tenant), 0, '-1')).toEqual(newer.toSorted());
  });

  it('is marked in the step that reaches it, once for each share and window', async () => {
    const tenant = freshTenant();
    const caps = soft(1_000);
    expect(await submit(jobOf(tenant, { n: 4 }), caps)).toEqual({ kind: 'created' });
    expect(await submit(jobOf(tenant), caps)).toEqual({ kind: 'created', hasMark: true });
    expect(await report(tenant)).toEqual([[50, 1_000]]);
    expect(await submit(jobOf(tenant), caps)).toEqual({ kind: 'created' });
    expect(await submit(jobOf(tenant, { n: 6 }), caps)).toEqual({ kind: 'created', hasMark: true });
    expect(await report(tenant)).toEqual([
      [80, 1_000],
      [100, 1_000],
    ]);
    expect(await submit(jobOf(tenant, { n: 6 }), caps)).toEqual({ kind: 'created' });
    const later = { ...jobOf(tenant, { n: 9 }), createdAt: createdAt + dayMs };
    const tomorrow = caps.map((cap) => ({ ...cap, windowName: windowNamesAt(later.createdAt)[0] }));
    expect(await submit(later, tomorrow)).toEqual({ kind: 'created', hasMark: true });
    expect(await report(tenant)).toEqual([
      [50, 1_000],
      [80, 1_000],
    ]);
  });

  it('of 100 percent alone is marked when a request is refused, and lower ones when they are reached', async () => {
    const tenant = freshTenant();
    const caps = capsFor({ limit: 1_000 });
    expect(await submit(jobOf(tenant, { n: 11 }), caps)).toMatchObject({ kind: 'capped', hasMark: true });
    expect(await report(tenant)).toEqual([[100, 1_000]]);
    expect(await submit(jobOf(tenant, { n: 11 }), caps)).toMatchObject({ kind: 'capped', hasMark: false });
    expect(await submit(jobOf(tenant, { n: 5 }), caps)).toEqual({ kind: 'created', hasMark: true });
    expect(await report(tenant)).toEqual([[50, 1_000]]);
    expect(await submit(jobOf(tenant, { n: 5 }), caps)).toEqual({ kind: 'created', hasMark: true });
    expect(await report(tenant)).toEqual([[80, 1_000]]);
    expect(await marksOf(tenant)).toEqual([]);
  });

  it('begins anew for a changed limit, and is not reported twice for a limit that returns', async () => {
    const tenant = freshTenant();
    const shares = async (limit: number) => {
      await submit(jobOf(tenant), soft(limit));
      return (await report(tenant)).map(([percent]) => percent);
    };
    await submit(jobOf(tenant, { n: 10 }));
    expect(await shares(1_000)).toEqual([50, 80, 100]);
    expect(await shares(4_000)).toEqual([]);
    expect(await shares(2_500)).toEqual([50]);
    expect(await shares(1_500)).toEqual([50, 80]);
    // Two processes know different limits for a moment.
    expect(await shares(1_000)).toEqual([]);
    expect(await shares(2_500)).toEqual([]);
    expect(await shares(1_500)).toEqual([100]);
    await submit(jobOf(tenant, { n: 3 }));
    expect(await shares(2_500)).toEqual([80]);
  });

  it('is marked when a settlement or a bill above its hold reaches it, and costs nothing without a budget', async () => {
    const tenant = freshTenant();
    const job = jobOf(tenant);
    await submit(job, soft(1_000));
    expect(await settle(job, 90, soft(1_000))).toBe(false);
    expect(await settle(job, 600, soft(1_000))).toBe(true);
    expect(await report(tenant)).toEqual([[50, 1_000]]);
    expect(await settle(job, 1_500, capsFor({ limit: 1_000 }))).toBe(true);
    expect(await report(tenant)).toHaveLength(3);
    expect(await settle(job, 9_000)).toBe(false);
    expect(await settle(job, 9_500, [])).toBe(false);
    expect(await figuresOf(tenant, soft(1))).toEqual([[0, 9_500]]);
  });

  it('of a window that is over leaves the reports of the current window', async () => {
    const tenant = freshTenant();
    const caps = soft(1_000);
    const yesterday = caps.map((cap) => ({ ...cap, windowName: windowNamesAt(createdAt - dayMs)[0] }));
    await submit(jobOf(tenant, { n: 5 }), caps);
    expect(await report(tenant)).toEqual([[50, 1_000]]);
    const late = { ...jobOf(tenant), createdAt: createdAt - dayMs };
    await submit(late);
    expect(await settle(late, 700, yesterday)).toBe(true);
    expect(await report(tenant)).toEqual([[50, 1_000]]);
    expect(await submit(jobOf(tenant), caps)).toEqual({ kind: 'created' });
  });

  it('that a hold of a further call reaches, or does not fit, is marked too', async () => {
    const tenant = freshTenant();
    const job = jobOf(tenant);
    await submit(job);
    await records.update(job, (now) => ({
      job: { ...now, attempts: [attemptOf({ no: 1, state: 'uncertain' })] },
    }));
    const again = (now: ImageJob) => {
      const attempts = [...now.attempts, attemptOf({ no: now.attempts.length + 1, state: 'calling' })];
      return { job: withHold({ ...now, attempts }) };
    };
    let marks = 0;
    const raise = (limit: number) =>
      records.update(job, again, { capsOf: async () => capsFor({ limit }), onMark: () => void marks++ });
    await expect(raise(150)).rejects.toMatchObject({ code: 'budget_exceeded' });
    expect(marks).toBe(1);
    expect(await report(tenant)).toEqual([[100, 150]]);
    await raise(400);
    expect(marks).toBe(2);
    expect(await report(tenant)).toEqual([[50, 400]]);
  });

  it('has its event written once for an endpoint that subscribed, however many processes report', async () => {
    const tenant = freshTenant();
    await store.redis.sadd(store.keys.subscribers(tenant, 'budget.threshold'), 'whk_1');
    await submit(jobOf(tenant, { n: 8 }), capsFor({ limit: 1_000 }));
    const marks = await thresholds.list(tenant, 10);
    expect(marks.map(({ percent }) => percent)).toEqual([50, 80]);
    const resolved = await Promise.all(
      [1, 2, 3].flatMap((process) =>
        marks.map((mark) => {
          const id = `evt_${mark.percent}_${process}`;
          return thresholds.resolve(tenant, mark, {
            id,
            limitMicroUsd: 1_000,
            body: `{"p":${mark.percent}}`,
          });
        }),
      ),
    );
    expect(resolved).toEqual([true, true, false, false, false, false]);
    expect(await store.redis.zrange(store.keys.outbox(tenant), 0, '-1')).toEqual(['evt_50_1', 'evt_80_1']);
    expect(await store.redis.get(store.keys.event(tenant, 'evt_80_1'))).toBe('{"p":80}');
  });

  describe('that an earlier release reported', () => {
    const givenLevel = async (share: number) => {
      const tenant = freshTenant();
      const level = `${windowNamesAt(createdAt)[0]} ${share}`;
      await store.redis.hset(store.keys.spend(tenant), 'key_1.level.sd', level);
      return tenant;
    };

    it('is not reported again, and higher ones are', async () => {
      const tenant = await givenLevel(50);
      expect(await submit(jobOf(tenant, { n: 5 }), soft(1_000))).toEqual({ kind: 'created' });
      await submit(jobOf(tenant, { n: 3 }), soft(1_000));
      expect(await report(tenant)).toEqual([[80, 1_000]]);
      expect(await submit(jobOf(tenant), soft(1_000))).toEqual({ kind: 'created' });
    });

    it('begins anew if less is used, because the limit was raised', async () => {
      const tenant = await givenLevel(100);
      await submit(jobOf(tenant, { n: 6 }), soft(1_000));
      expect(await report(tenant)).toEqual([[50, 1_000]]);
    });

    it('is stored as that release reads it', async () => {
      const tenant = freshTenant();
      const caps = soft(1_000);
      await submit(jobOf(tenant, { n: 8 }), caps);
      const [mark] = await thresholds.list(tenant, 1);
      expect(mark?.name).toMatch(/^key_1 sd d\d+ 50 /);
      await report(tenant);
      const level = await store.redis.hget(store.keys.spend(tenant), 'key_1.level.sd');
      expect(level).toBe(`${caps[0]?.windowName} 80`);
    });
  });
});
