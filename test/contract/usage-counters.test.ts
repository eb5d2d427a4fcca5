import { describe, expect, it } from 'vitest';
import { knownCost } from '../../src/domain/attempt.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { finish } from '../../src/domain/job-moves.ts';
import { settleCharges } from '../../src/domain/job-settlement.ts';
import type { UsageDimension, UsageLabels } from '../../src/domain/usage.ts';
import { firstDayOfMonth, utcDayOf, utcMonthOf } from '../../src/domain/utc-day.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createUsageCounters } from '../../src/outbound/records/usage-rows.ts';
import { attemptOf, createdAt, queuedJob, retention } from '../support/jobs.ts';
import { connectTestStore } from '../support/store.ts';

const { redis, keys } = await connectTestStore();
const records = createJobStore(redis, keys);
const maxRows = 3;
const counters = createUsageCounters(redis, keys, { maxRows });
const today = utcDayOf(createdAt);
const dayMs = 86_400_000;

let tenants = 0;
const newTenant = () => `usage-${++tenants}`;

const labelsFor = (customer?: string, model = 'gpt-image-2'): UsageLabels => ({
  model,
  keyId: 'key_1',
  metadata: customer === undefined ? {} : { customer },
});

/** Submits a job and ends it with one paid call. */
async function endedJob(
  tenant: string,
  labels: UsageLabels,
  { nowMs = createdAt, microUsd = 5_970 }: { nowMs?: number; microUsd?: number | null } = {},
): Promise<ImageJob> {
  const job = { ...queuedJob({ tenant, nowMs }), usageRow: await counters.rowOf(tenant, labels) };
  await records.submit({ job, maxOpenJobs: 1_000 });
  const attempts = [attemptOf({ provider: 'openai', ...knownCost(microUsd) })];
  const written = await records.update(job, (now) => ({
    job: finish({ ...now, attempts }, 'succeeded', { nowMs, retention }),
  }));
  return written ?? job;
}

interface Query {
  readonly fromDay: number;
  readonly toDay: number;
  /** Default: all. */
  readonly dimensions?: readonly UsageDimension[];
  readonly metadataKeys?: readonly string[];
}

const read = async (tenant: string, { fromDay, toDay, ...by }: Query) => {
  const { dimensions = ['day', 'model', 'key', 'provider'], metadataKeys = ['customer'] } = by;
  const grouping = { dimensions: new Set(dimensions), metadataKeys };
  return (await counters.read(tenant, { fromDay, toDay, grouping })).flat();
};
const onlyToday = { fromDay: today, toDay: today + 1 };
const customersOf = async (tenant: string) =>
  Object.fromEntries(
    (await read(tenant, { ...onlyToday, dimensions: [] })).map(({ metadata, sums }) => [
      metadata?.customer ?? 'none',
      sums.jobs,
    ]),
  );

describe('the counters of usage', () => {
  it('count a job in the step that ends it, and a later change of its cost by the difference', async () => {
    const tenant = newTenant();
    const job = await endedJob(tenant, labelsFor('a'), { microUsd: null });
    expect(await read(tenant, onlyToday)).toMatchObject([
      { ...labelsFor('a'), provider: 'openai', sums: { jobs: 1, micro_usd: 0, unknown_cost_jobs: 1 } },
    ]);
    await records.update(job, (now) => ({
      job: { ...now, attempts: now.attempts.map((each) => ({ ...each, costMicroUsd: 42 })) },
    }));
    expect(await read(tenant, onlyToday)).toMatchObject([
      { sums: { jobs: 1, micro_usd: 42, unknown_cost_jobs: 0 } },
    ]);
  });

  it('list a row whose labels only the next release can read without labels, and all others with theirs', async () => {
    const tenant = newTenant();
    await endedJob(tenant, labelsFor('a'));
    const other = await endedJob(tenant, labelsFor('b', 'gpt-image-1.5'));
    const row = (other.usageRow ?? 0).toString(36);
    await redis.hset(keys.usage(tenant, 'rows'), row, 'packed:AAEC');
    const fresh = createUsageCounters(redis, keys, { maxRows: 9 });
    const grouping = { dimensions: new Set(['model'] as const), metadataKeys: [] };
    const groups = (await fresh.read(tenant, { ...onlyToday, grouping })).flat();
    expect(groups.map(({ model, sums }) => [model, sums.jobs])).toEqual(
      expect.arrayContaining([
        ['gpt-image-2', 1],
        [null, 1],
      ]),
    );
  });

  it('have the same sums by day, by month and in total for every period', async () => {
    const tenant = newTenant();
    for (const days of [0, 1, 9, 40, 41, 75]) {
      await endedJob(tenant, labelsFor('a'), {
        nowMs: createdAt - days * dayMs,
        microUsd: 2 ** days % 1_000_003,
      });
    }
    const sumOf = async (query: Query) =>
      (await read(tenant, query)).reduce((sum, { sums }) => sum + sums.micro_usd, 0);
    for (const fromDay of [today - 80, today - 75, today - 74, today - 41, today - 22, today]) {
      for (const toDay of [today - 41, today - 9, today, today + 1, today + 60]) {
        const period = { fromDay, toDay };
        const byDay = await sumOf({ ...period, dimensions: ['day', 'model'], metadataKeys: [] });
        expect(await sumOf({ ...period, dimensions: ['key'] })).toBe(byDay);
        expect(await sumOf({ ...period, dimensions: ['day'], metadataKeys: [] })).toBe(byDay);
        expect(await sumOf({ ...period, dimensions: [], metadataKeys: [] })).toBe(byDay);
      }
    }
  });

  it('count further metadata values as `other`, so that a caller cannot create rows without end', async () => {
    const tenant = newTenant();
    for (let i = 0; i < 10; i++) await endedJob(tenant, labelsFor(`customer-${i}`));
    await endedJob(tenant, labelsFor('customer-0'));
    expect(await customersOf(tenant)).toEqual({
      'customer-0': 2,
      'customer-1': 1,
      'customer-2': 1,
      other: 7,
    });
    for (let i = 0; i < 50; i++) await counters.rowOf(tenant, labelsFor('x', `invented-${i}`));
    expect(await redis.hlen(keys.usage(tenant, 'rows'))).toBeLessThanOrEqual(2 * maxRows + 1);
  });

  it('create no more rows in several processes at once than allowed', async () => {
    const tenant = newTenant();
    const processes = Array.from({ length: 4 }, () => createUsageCounters(redis, keys, { maxRows }));
    await Promise.all(
      processes.flatMap((each) =>
        Array.from({ length: 20 }, (_, i) => each.rowOf(tenant, labelsFor(`customer-${i}`))),
      ),
    );
    expect(await redis.hlen(keys.usage(tenant, 'rows'))).toBe(maxRows + 1);
  });

  it('give labels the same row again after Redis lost it', async () => {
    const tenant = newTenant();
    const row = await counters.rowOf(tenant, labelsFor('a'));
    await redis.del(keys.usage(tenant, 'rows'));
    const other = createUsageCounters(redis, keys, { maxRows });
    expect(await other.rowOf(tenant, labelsFor('a'))).toBe(row);
  });

  it('show every change of a day at once in a process that has read the day before', async () => {
    const tenant = newTenant();
    const job = await endedJob(tenant, labelsFor('a'), { microUsd: null });
    const other = await endedJob(tenant, labelsFor('b'), { microUsd: 100 });
    const costs = async (byDay: boolean) => {
      const month = {
        fromDay: firstDayOfMonth(utcMonthOf(today)),
        toDay: firstDayOfMonth(utcMonthOf(today) + 1),
      };
      const groups = await read(tenant, { ...month, dimensions: byDay ? ['day'] : [] });
      return Object.fromEntries(groups.map(({ metadata, sums }) => [metadata?.customer, sums.micro_usd]));
    };
    const settle = (settled: ImageJob, costMicroUsd: number) =>
      records.update(settled, (now) => ({
        job: { ...now, attempts: now.attempts.map((each) => ({ ...each, costMicroUsd })) },
      }));
    for (const byDay of [true, false, true]) expect(await costs(byDay)).toEqual({ a: 0, b: 100 });
    // The totals of the day are the same after both changes.
    await settle(job, 40);
    await settle(other, 60);
    for (const byDay of [true, false]) expect(await costs(byDay)).toEqual({ a: 40, b: 60 });
    await settle(job, 60);
    await settle(other, 40);
    for (const byDay of [true, false]) expect(await costs(byDay)).toEqual({ a: 60, b: 40 });
  });

  it('return the same list of groups for a day that did not change', async () => {
    const tenant = newTenant();
    const dayBefore = createdAt - dayMs;
    for (const nowMs of [createdAt, dayBefore]) await endedJob(tenant, labelsFor('a'), { nowMs });
    const query = {
      ...{ fromDay: today - 1, toDay: today + 1 },
      grouping: { dimensions: new Set(['day', 'key'] as const), metadataKeys: [] },
    };
    const [first, second] = await counters.read(tenant, query);
    await endedJob(tenant, labelsFor('b'));
    const again = await counters.read(tenant, query);
    expect(again[0]).toBe(first);
    expect(again[1]).not.toBe(second);
    expect([first, again[1]]).toMatchObject([
      [{ day: today - 1, keyId: 'key_1', sums: { jobs: 1 } }],
      [{ day: today, keyId: 'key_1', sums: { jobs: 2 } }],
    ]);
  });

  it('remove the days and months whose retention is over, and no others', async () => {
    const tenant = newTenant();
    const firstDay = today - 100;
    for (const days of [100, 50, 0])
      await endedJob(tenant, labelsFor('a'), { nowMs: createdAt - days * dayMs });
    await counters.purge(tenant, firstDay, today - 40);
    expect((await read(tenant, { fromDay: firstDay, toDay: today + 1 })).map(({ day }) => day)).toEqual([
      today,
    ]);
    expect(await read(tenant, { fromDay: firstDay, toDay: today - 40 })).toEqual([]);
  });

  it('do not count the later change of a job whose day was purged', async () => {
    const tenant = newTenant();
    const nowMs = createdAt - 50 * dayMs;
    const job = await endedJob(tenant, labelsFor('a'), { nowMs, microUsd: null });
    await counters.purge(tenant, today - 100, today - 20);
    const settled = await records.update(job, (now) => ({
      job: settleCharges(now, { microUsd: 5_970 }, createdAt) ?? now,
    }));
    expect(settled?.attempts[0]?.costMicroUsd).toBe(5_970);
    for (const dimensions of [[], ['day', 'model']] as const)
      expect(await read(tenant, { fromDay: today - 60, toDay: today, dimensions, metadataKeys: [] })).toEqual(
        [],
      );
    expect(await redis.keys(`*{${tenant}}:usage:[dmt]:*`)).toEqual([]);
  });
});
