import { daysOf } from './usage-data.ts';

/** Periods to choose from, in days until the end of today. */
export const ranges = ['7', '30', '90', '365'] as const;
export type Range = (typeof ranges)[number];

export const dimensions = ['model', 'key', 'provider', 'metadata'] as const;
export type DimensionKind = (typeof dimensions)[number];

/** State of the screen, as its address has it. */
export interface UsageQuery {
  readonly range: Range;
  readonly kind: DimensionKind;
  /** Metadata key of the dimension `metadata`. */
  readonly metadataKey: string;
  readonly tenant: string;
}

/** Reads the state from the address. Unknown values become the default. */
export function queryOf(query: URLSearchParams): UsageQuery {
  const by = query.get('by') ?? 'model';
  const [kind = '', ...key] = by.split('.');
  return {
    range: ranges.find((each) => each === query.get('days')) ?? '30',
    kind: dimensions.find((each) => each === kind) ?? 'model',
    metadataKey: key.join('.'),
    tenant: query.get('tenant') ?? '',
  };
}

/** Returns the dimension of a query; null while the metadata key is missing. */
export function dimensionOf({ kind, metadataKey }: UsageQuery): string | null {
  if (kind !== 'metadata') return kind;
  return metadataKey === '' ? null : `metadata.${metadataKey}`;
}

/** Returns the first day, the exclusive end, and all days of a period until today, in UTC. */
export function periodOf(range: Range, nowMs: number): { from: string; to: string; days: string[] } {
  const day = (offset: number) => new Date(nowMs + offset * 86_400_000).toISOString().slice(0, 10);
  const from = day(1 - Number(range));
  const to = day(1);
  return { from, to, days: daysOf(from, to) };
}

/** Returns the query of the API. Days and provider are always separate: the bars need days, and studio costs are simulated. */
export function apiQuery(query: UsageQuery, dimension: string, period: { from: string; to: string }) {
  const groupBy = [...new Set(['day', dimension, 'provider'])].join(',');
  return { from: period.from, to: period.to, group_by: groupBy, tenant: query.tenant };
}
