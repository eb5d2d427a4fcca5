import { z } from 'zod';
import { type ImageJob, isTerminal } from './image-job.ts';
import { utcDayOf } from './utc-day.ts';

/**
 * Usage of a tenant: sums over its ended jobs. A job counts on the UTC day that accepted it, in one row of that day. A row
 * stands for a model, a key, a provider, and values of the metadata keys that the operator names.
 */

/** Sums of a row, in the order of the wire format. */
export const usageMeasures = [
  'jobs',
  'images',
  'failed',
  'micro_usd',
  'micro_usd_possible',
  'unknown_cost_jobs',
  'tokens',
] as const;
export type UsageMeasure = (typeof usageMeasures)[number];
export type UsageSums = Readonly<Record<UsageMeasure, number>>;

/** Facts of an accepted job that decide its row. The provider is added by the call. */
export interface UsageLabels {
  readonly model: string | null;
  readonly keyId: string | null;
  /** Values of the metadata keys that the operator names; absent keys are missing. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Labels as they are stored, in open form. */
export const StoredLabels = z.looseObject({
  model: z.string().nullable(),
  keyId: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
});

/** Value that replaces the labels of further rows if a tenant has as many rows as allowed. */
export const otherLabel = 'other';

/** One row of a query, with its day if the query separates days. */
export interface UsageRow {
  /** `null` if the rows of several days are one. */
  readonly day: number | null;
  readonly labels: UsageLabels;
  readonly provider: string | null;
  readonly sums: UsageSums;
}

/** Returns what a job adds to its row; `null` if it counts nowhere: it has not ended, or an earlier release accepted it. */
export function usageOf(job: ImageJob): { day: number; provider: string | null; sums: UsageSums } | null {
  if (job.usageRow === undefined || !isTerminal(job.status)) return null;
  const { attempts } = job;
  const paid = attempts.filter(({ state }) => state !== 'rejected');
  return {
    day: utcDayOf(job.createdAt),
    provider: attempts.findLast(({ provider }) => provider !== undefined)?.provider ?? null,
    sums: {
      jobs: 1,
      // Images leave the record when their retention ends, so the attempts count.
      images: attempts.filter(({ state, kind }) => state === 'stored' && kind !== 'enhance').length,
      failed: job.status === 'failed' ? 1 : 0,
      micro_usd: paid.reduce((sum, { costMicroUsd = 0 }) => sum + costMicroUsd, 0),
      micro_usd_possible: job.hold ?? 0,
      unknown_cost_jobs: paid.some(({ costMicroUsd }) => costMicroUsd === undefined) ? 1 : 0,
      tokens: job.usage?.total_tokens ?? 0,
    },
  };
}

/** The operator may name a key that every object inherits, such as `constructor`. */
const ownValue = (metadata: Readonly<Record<string, string>>, key: string): string | null =>
  Object.hasOwn(metadata, key) ? (metadata[key] ?? null) : null;

/** Returns the labels that a request gets. */
export function labelsOf(
  {
    model,
    metadata = {},
  }: { readonly model: string; readonly metadata?: Readonly<Record<string, string>> | undefined },
  keyId: string | null,
  metadataKeys: readonly string[],
): UsageLabels {
  const named = metadataKeys.flatMap((key) => {
    const value = ownValue(metadata, key);
    return value === null ? [] : [[key, value] as const];
  });
  return { model, keyId, metadata: Object.fromEntries(named) };
}

const noSums: UsageSums = {
  jobs: 0,
  images: 0,
  failed: 0,
  micro_usd: 0,
  micro_usd_possible: 0,
  unknown_cost_jobs: 0,
  tokens: 0,
};

/** Returns sums that are all 0, to be added to. */
export const emptySums = (): Record<UsageMeasure, number> => ({ ...noSums });

/** Dimensions by which a query separates rows, in the order of the wire format. */
export const usageDimensions = ['day', 'model', 'key', 'provider'] as const;
export type UsageDimension = (typeof usageDimensions)[number];

/** Grouping of a query. */
export interface UsageGrouping {
  readonly dimensions: ReadonlySet<UsageDimension>;
  readonly metadataKeys: readonly string[];
}

/** Returns whether a grouping separates nothing within a day. */
export const isTotal = ({ dimensions, metadataKeys }: UsageGrouping): boolean =>
  metadataKeys.length === 0 && usageDimensions.every((each) => each === 'day' || !dimensions.has(each));

/** Returns a text that is the same for the same grouping. */
export const nameOfGrouping = ({ dimensions, metadataKeys }: UsageGrouping): string =>
  JSON.stringify([usageDimensions.filter((each) => dimensions.has(each)), metadataKeys]);

/** A group of rows. A dimension is absent if the query does not separate it. */
export interface UsageGroup {
  readonly day?: number;
  readonly model?: string | null;
  readonly keyId?: string | null;
  readonly provider?: string | null;
  readonly metadata?: Readonly<Record<string, string | null>>;
  readonly sums: UsageSums;
}

/** Sums rows by group, ordered by day, model, key, provider and metadata. */
export type GroupUsage = (rows: Iterable<UsageRow>) => UsageGroup[];

/** Creates the function that sums rows by group. It computes the group of each combination of labels once for all its calls. */
export function createGroupUsage(grouping: UsageGrouping): GroupUsage {
  const byDay = grouping.dimensions.has('day');
  const groupOf = createGroups(grouping);
  return (rows) => {
    const days = new Map<number | null, Map<Group, UsageSums>>();
    for (const { day, labels, provider, sums } of rows) {
      const shownDay = byDay ? day : null;
      const groups = days.get(shownDay) ?? new Map<Group, UsageSums>();
      days.set(shownDay, groups);
      const group = groupOf(labels, provider);
      const known = groups.get(group);
      // A group of one row shares its sums, so that a cache of both holds them once.
      groups.set(group, known ? addSums(known, sums) : sums);
    }
    return [...days]
      .sort(([a], [b]) => (a ?? 0) - (b ?? 0))
      .flatMap(([day, groups]) =>
        [...groups]
          .sort(([a], [b]) => (a.name < b.name ? -1 : 1))
          .map(([{ fields }, sums]) => (day === null ? { ...fields, sums } : { ...fields, sums, day })),
      );
  };
}

/** Adds sums. Names every measure, because a loop over their names takes several times as long for a year. */
const addSums = (a: UsageSums, b: UsageSums): UsageSums => ({
  jobs: a.jobs + b.jobs,
  images: a.images + b.images,
  failed: a.failed + b.failed,
  micro_usd: a.micro_usd + b.micro_usd,
  micro_usd_possible: a.micro_usd_possible + b.micro_usd_possible,
  unknown_cost_jobs: a.unknown_cost_jobs + b.unknown_cost_jobs,
  tokens: a.tokens + b.tokens,
});

/** A group without its day. */
interface Group {
  /** Text of the fields, for the sequence of groups. */
  readonly name: string;
  readonly fields: Omit<UsageGroup, 'day' | 'sums'>;
}

/**
 * Creates a function that returns the group of labels and a provider. The group of the same labels object is computed once,
 * because a year has many rows of few labels.
 */
function createGroups({ dimensions, metadataKeys }: UsageGrouping) {
  const groups = new Map<string, Group>();
  const known = new Map<UsageLabels, Map<string | null, Group>>();

  function find(labels: UsageLabels, provider: string | null): Group {
    const fields = {
      ...(dimensions.has('model') ? { model: labels.model } : {}),
      ...(dimensions.has('key') ? { keyId: labels.keyId } : {}),
      ...(dimensions.has('provider') ? { provider } : {}),
      ...(metadataKeys.length > 0
        ? { metadata: Object.fromEntries(metadataKeys.map((key) => [key, ownValue(labels.metadata, key)])) }
        : {}),
    };
    const name = JSON.stringify(fields);
    const group = groups.get(name) ?? { name, fields };
    groups.set(name, group);
    return group;
  }

  return (labels: UsageLabels, provider: string | null): Group => {
    const ofLabels = known.get(labels) ?? new Map<string | null, Group>();
    known.set(labels, ofLabels);
    const group = ofLabels.get(provider) ?? find(labels, provider);
    ofLabels.set(provider, group);
    return group;
  };
}
