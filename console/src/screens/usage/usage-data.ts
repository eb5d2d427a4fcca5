import type { UsageRow } from '../../api/types.ts';

/** Maximum number of series with a color of their own. Further ones become one series. */
export const maxSeries = 4;

/** Dimension that separates the series: `model`, `key`, `provider` or `metadata.NAME`. */
export type Dimension = string;

/** Sums of the same name. */
export interface UsageGroup {
  /** Value of the dimension; null if the jobs have none. */
  readonly name: string | null;
  /** Whether the amounts are simulated, because the images were drawn offline. */
  readonly isSimulated: boolean;
  readonly jobs: number;
  readonly images: number;
  readonly failed: number;
  readonly micro_usd: number;
  readonly micro_usd_possible: number;
  readonly unknown_cost_jobs: number;
}

/** A colored part of the bars, from 1 to `maxSeries`. Series 0 is the rest. */
export interface UsageSeries {
  readonly no: number;
  readonly name: string | null;
  /** Micro-USD by day. */
  readonly values: readonly number[];
}

export interface UsageReport {
  /** Days of the period as `YYYY-MM-DD`. */
  readonly days: readonly string[];
  /** Groups with the highest cost first, real ones before simulated ones. */
  readonly groups: readonly UsageGroup[];
  /** Sums of the real groups; of the simulated ones if there are no others. */
  readonly total: UsageGroup;
  /** Sums of simulated groups that the total leaves out; null if it leaves out none. */
  readonly simulated: UsageGroup | null;
  readonly series: readonly UsageSeries[];
  /** Number of the series of a group, 0 for the rest, null for a group outside of the bars. */
  readonly seriesOf: (group: UsageGroup) => number | null;
}

const dayMs = 86_400_000;

/** Returns the days of a period. `to` is exclusive. */
export function daysOf(from: string, to: string): string[] {
  const start = Date.parse(from);
  const count = Math.max(0, Math.ceil((Date.parse(to) - start) / dayMs));
  return Array.from({ length: count }, (_, i) => new Date(start + i * dayMs).toISOString().slice(0, 10));
}

/** Returns the value of the dimension that a row has. */
export function nameOf(row: UsageRow, dimension: Dimension): string | null {
  if (dimension === 'model') return row.model ?? null;
  if (dimension === 'key') return row.key_id ?? null;
  if (dimension === 'provider') return row.provider ?? null;
  return row.metadata?.[dimension.slice('metadata.'.length)] ?? null;
}

/**
 * Returns the report of rows that are grouped by day, provider and a dimension. Simulated amounts are never added to real
 * ones: the total and the bars show the simulated ones only if there are no others.
 */
export function reportOf(
  rows: readonly UsageRow[],
  { dimension, days }: { readonly dimension: Dimension; readonly days: readonly string[] },
): UsageReport {
  const byName = new Map<string, { group: UsageGroup; rows: UsageRow[] }>();
  for (const row of rows) {
    const name = nameOf(row, dimension);
    const isSimulated = row.provider === 'studio';
    const id = JSON.stringify([name, isSimulated]);
    const known = byName.get(id) ?? { group: emptyGroup(name, isSimulated), rows: [] };
    byName.set(id, { group: added(known.group, row), rows: [...known.rows, row] });
  }
  const entries = [...byName.values()].sort((a, b) => compareGroups(a.group, b.group));
  const groups = entries.map(({ group }) => group);
  const hasReal = groups.some(({ isSimulated }) => !isSimulated);
  const shown = entries.filter(({ group }) => !(hasReal && group.isSimulated));
  const simulated = hasReal ? groups.filter(({ isSimulated }) => isSimulated) : [];
  const numbers = new Map(shown.map(({ group }, i) => [group, i < maxSeries ? i + 1 : 0]));
  return {
    days,
    groups,
    total: sumOf(
      shown.map(({ group }) => group),
      !hasReal && groups.length > 0,
    ),
    simulated: simulated.length > 0 ? sumOf(simulated, true) : null,
    series: seriesOfEntries(shown, days),
    seriesOf: (group) => numbers.get(group) ?? null,
  };
}

function seriesOfEntries(
  entries: readonly { readonly group: UsageGroup; readonly rows: readonly UsageRow[] }[],
  days: readonly string[],
): UsageSeries[] {
  const indexOf = new Map(days.map((day, i) => [day, i]));
  const valuesOf = (rows: readonly UsageRow[]) => {
    const values = days.map(() => 0);
    for (const { day, micro_usd } of rows) {
      const index = indexOf.get(day ?? '');
      if (index !== undefined) values[index] = (values[index] ?? 0) + micro_usd;
    }
    return values;
  };
  const named = entries
    .slice(0, maxSeries)
    .map(({ group, rows }, i) => ({ no: i + 1, name: group.name, values: valuesOf(rows) }));
  const rest = entries.slice(maxSeries).flatMap(({ rows }) => rows);
  return rest.length === 0 ? named : [...named, { no: 0, name: null, values: valuesOf(rest) }];
}

const emptyGroup = (name: string | null, isSimulated: boolean): UsageGroup => ({
  ...{ name, isSimulated, jobs: 0, images: 0, failed: 0 },
  ...{ micro_usd: 0, micro_usd_possible: 0, unknown_cost_jobs: 0 },
});

type Sums = Omit<UsageGroup, 'name' | 'isSimulated'>;

const added = (group: UsageGroup, row: Sums): UsageGroup => ({
  ...group,
  jobs: group.jobs + row.jobs,
  images: group.images + row.images,
  failed: group.failed + row.failed,
  micro_usd: group.micro_usd + row.micro_usd,
  micro_usd_possible: group.micro_usd_possible + row.micro_usd_possible,
  unknown_cost_jobs: group.unknown_cost_jobs + row.unknown_cost_jobs,
});

const sumOf = (groups: readonly UsageGroup[], isSimulated: boolean): UsageGroup =>
  groups.reduce(added, emptyGroup(null, isSimulated));

function compareGroups(a: UsageGroup, b: UsageGroup): number {
  if (a.isSimulated !== b.isSimulated) return a.isSimulated ? 1 : -1;
  return b.micro_usd - a.micro_usd || b.jobs - a.jobs || ((a.name ?? '') < (b.name ?? '') ? -1 : 1);
}
