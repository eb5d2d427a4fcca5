import { describe, expect, it } from 'vitest';
import { finish } from '../../../src/domain/job-moves.ts';
import { createGroupUsage, emptySums, labelsOf, type UsageRow, usageOf } from '../../../src/domain/usage.ts';
import { firstDayOfMonth, isoDay, utcDayOf, utcMonthOf } from '../../../src/domain/utc-day.ts';
import { attemptOf, createdAt, queuedJob, retention } from '../../support/jobs.ts';

const queued = { ...queuedJob({ nowMs: createdAt }), usageRow: 7 };
const ended = finish(
  {
    ...queued,
    attempts: [
      attemptOf({ no: 1, kind: 'enhance', provider: 'openai', costMicroUsd: 120 }),
      attemptOf({ no: 2, provider: 'openai', costMicroUsd: 5_970 }),
      attemptOf({ no: 3, state: 'uncertain', provider: 'openai' }),
    ],
    usage: { input_tokens: 18, output_tokens: 196, total_tokens: 214 },
    hold: 6_120,
  },
  'succeeded',
  { nowMs: createdAt + 86_400_000, retention },
);

describe('the usage of a job', () => {
  it('counts on the day that accepted the job, whenever it ends', () => {
    expect(usageOf(ended)).toEqual({
      day: utcDayOf(createdAt),
      provider: 'openai',
      sums: {
        jobs: 1,
        images: 1,
        failed: 0,
        micro_usd: 6_090,
        micro_usd_possible: 6_120,
        unknown_cost_jobs: 1,
        tokens: 214,
      },
    });
  });

  it('counts nothing before the job has ended', () => {
    expect(usageOf(queued)).toBeNull();
  });

  it('counts nothing for a job that an earlier release accepted', () => {
    const { usageRow: _row, ...earlier } = ended;
    expect(usageOf(earlier)).toBeNull();
  });

  it('counts the same after the images are deleted', () => {
    expect(usageOf({ ...ended, images: [], mediaGone: true })).toEqual(usageOf(ended));
  });

  it('labels a request with the metadata keys that the operator names, and with no inherited property', () => {
    const request = { model: 'gpt-image-2', metadata: { customer: 'c1', note: 'secret' } };
    expect(labelsOf(request, 'key_1', ['customer', 'team', 'constructor'])).toEqual({
      model: 'gpt-image-2',
      keyId: 'key_1',
      metadata: { customer: 'c1' },
    });
  });
});

describe('grouped usage', () => {
  const row = ([day, model, customer, jobs]: [number, string, string | null, number]): UsageRow => ({
    day,
    labels: { model, keyId: 'key_1', metadata: customer === null ? {} : { customer } },
    provider: 'openai',
    sums: { ...emptySums(), jobs },
  });
  const rows = [row([2, 'b', 'x', 1]), row([1, 'a', 'y', 2]), row([1, 'a', null, 4]), row([1, 'b', 'x', 8])];
  const grouped = (dimensions: ('day' | 'model')[], metadataKeys: string[] = []) =>
    createGroupUsage({ dimensions: new Set(dimensions), metadataKeys })(rows).map(({ sums, ...group }) => [
      group,
      sums.jobs,
    ]);

  it('is one row without dimensions, and none without rows', () => {
    expect(grouped([])).toEqual([[{}, 15]]);
    expect(createGroupUsage({ dimensions: new Set(), metadataKeys: [] })([])).toEqual([]);
  });

  it('separates and sorts the rows of a query by its dimensions only', () => {
    expect(grouped(['day', 'model'])).toEqual([
      [{ day: 1, model: 'a' }, 6],
      [{ day: 1, model: 'b' }, 8],
      [{ day: 2, model: 'b' }, 1],
    ]);
  });

  it('shows jobs without the metadata key as null', () => {
    expect(grouped([], ['customer'])).toEqual([
      [{ metadata: { customer: 'x' } }, 9],
      [{ metadata: { customer: 'y' } }, 2],
      [{ metadata: { customer: null } }, 4],
    ]);
  });

  it('shows a metadata key that every object inherits as null', () => {
    expect(grouped([], ['constructor'])).toEqual([[{ metadata: { constructor: null } }, 15]]);
  });
});

describe('UTC days', () => {
  it('belong to the month in which they lie, also before 1970', () => {
    for (const day of [-1, 0, 58, 59, 20_786, 20_788, 22_000]) {
      const month = utcMonthOf(day);
      expect(firstDayOfMonth(month)).toBeLessThanOrEqual(day);
      expect(firstDayOfMonth(month + 1)).toBeGreaterThan(day);
      expect(isoDay(firstDayOfMonth(month)).slice(0, 7)).toBe(isoDay(day).slice(0, 7));
    }
  });
});
