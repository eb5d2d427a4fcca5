import { firstDayOfMonth, utcMonthOf } from '../../domain/utc-day.ts';

/** A hash of a day or a whole month. */
export interface UsageBucket {
  /** Its part of the key. */
  readonly bucket: string;
  /** `null` if the rows of several days are one. */
  readonly day: number | null;
  readonly fromDay: number;
  /** Exclusive. */
  readonly toDay: number;
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

const dayBucket = (day: number): UsageBucket => ({
  bucket: `d:${day}`,
  day,
  fromDay: day,
  toDay: day + 1,
});

export const daysIn = (fromDay: number, toDay: number): UsageBucket[] => range(fromDay, toDay).map(dayBucket);

/** Returns the fewest hashes that cover a range: whole months, and the days at its ends. */
export function bucketsFor(fromDay: number, toDay: number): UsageBucket[] {
  const buckets: UsageBucket[] = [];
  for (let day = fromDay; day < toDay; ) {
    const month = utcMonthOf(day);
    const next = firstDayOfMonth(month + 1);
    const isWhole = day === firstDayOfMonth(month) && next <= toDay;
    buckets.push(isWhole ? { bucket: `m:${month}`, day: null, fromDay: day, toDay: next } : dayBucket(day));
    day = buckets.at(-1)?.toDay ?? toDay;
  }
  return buckets;
}

/** Returns the names of the hashes with the totals of a range of days. `toDay` is exclusive. */
export const totalsFor = (fromDay: number, toDay: number): string[] =>
  range(utcMonthOf(fromDay), utcMonthOf(toDay - 1) + 1).map((month) => `t:${month}`);

/** Returns the names of all hashes of a range of days, and of the months that end in it. */
export const bucketsToPurge = (fromDay: number, toDay: number): string[] => [
  ...range(fromDay, toDay).map((day) => `d:${day}`),
  ...range(utcMonthOf(fromDay), utcMonthOf(toDay)).flatMap((month) => [`m:${month}`, `t:${month}`]),
];
