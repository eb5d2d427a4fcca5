import type { ImageJob } from '../../domain/image-job.ts';
import { type UsageMeasure, usageMeasures, usageOf } from '../../domain/usage.ts';
import { utcMonthOf } from '../../domain/utc-day.ts';
import type { Keys } from './keys.ts';
import type { CounterEntry } from './projection.ts';

/**
 * Usage in Redis. Every ended job is counted in three hashes of its tenant, because a year of days would be slow to read:
 *
 *   usage:d:DAY    ROW.PROVIDER.MEASURE   the jobs accepted on a UTC day, days since 1970
 *   usage:m:MONTH  ROW.PROVIDER.MEASURE   the same for a month, months since 1970
 *   usage:t:MONTH  DAY.MEASURE            all rows of each day of a month; DAY.v: changes with every change of the day
 *   usage:rows     ROW                    the labels of a row as JSON
 *
 * A row is a number that follows from its labels, in base 36. A measure is its letter. An absent field is 0.
 */

/** Letters of the measures. */
export const letterOf: Readonly<Record<UsageMeasure, string>> = {
  jobs: 'j',
  images: 'i',
  failed: 'f',
  micro_usd: 'u',
  micro_usd_possible: 'p',
  unknown_cost_jobs: 'n',
  tokens: 't',
};

/** Letter of the counter of changes of a day: the sum of the versions of its ended jobs, which only grow. */
export const changeLetter = 'v';

/** Name of a missing provider. */
export const noProvider = '-';

export const rowName = (row: number): string => row.toString(36);

/** Returns what a job adds to the counters of usage. */
export function usageCounters(keys: Keys, job: ImageJob): CounterEntry[] {
  const usage = usageOf(job);
  if (!usage || job.usageRow === undefined) return [];
  const { day, sums } = usage;
  const row = `${rowName(job.usageRow)}.${usage.provider ?? noProvider}`;
  const month = utcMonthOf(day);
  const places = [
    { key: keys.usage(job.tenant, `d:${day}`), prefix: row },
    { key: keys.usage(job.tenant, `m:${month}`), prefix: row },
    { key: keys.usage(job.tenant, `t:${month}`), prefix: String(day) },
  ];
  const changes = {
    key: keys.usage(job.tenant, `t:${month}`),
    field: `${day}.${changeLetter}`,
    amount: job.version,
    isPurged: true as const,
  };
  const measured = usageMeasures.flatMap((measure) => {
    const amount = sums[measure];
    if (amount === 0) return [];
    return places.map(({ key, prefix }) => ({
      ...{ key, field: `${prefix}.${letterOf[measure]}`, amount },
      isPurged: true as const,
    }));
  });
  return [...measured, changes];
}
