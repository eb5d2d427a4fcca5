import type { Cluster, Redis } from 'ioredis';
import {
  createGroupUsage,
  isTotal,
  nameOfGrouping,
  type UsageGroup,
  type UsageGrouping,
  type UsageRow,
} from '../../domain/usage.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { bucketsFor, bucketsToPurge, daysIn, range, totalsFor, type UsageBucket } from './usage-buckets.ts';
import { createUsageCache } from './usage-cache.ts';
import { noProvider } from './usage-counters.ts';
import { createUsageLabels, noLabels } from './usage-labels.ts';
import { stampsByDay, sumsByPrefix } from './usage-text.ts';

/** KEYS hashes. Returns the fields and values of each as one text, which is read several times as fast as a list. */
const readSource = `
local texts = {}
for i, key in ipairs(KEYS) do texts[i] = table.concat(redis.call('HGETALL', key), ' ') end
return texts
`;

/** Maximum number of hashes per call. A script blocks Redis: for about a millisecond for each day of 100 keys with four models. */
const hashesPerCall = 8;
/** Maximum number of cached rows of days and months: a year with 100 keys that use four models. */
const maxCachedRows = 150_000;
/** Maximum number of cached groups of days, in all groupings: those of such a year by day, model and key, and by day and key. */
const maxCachedGroups = 200_000;

/** A range of days. `toDay` is exclusive. */
interface Range {
  readonly fromDay: number;
  readonly toDay: number;
}

/** A day or month with usage, as the totals show it. */
interface Stamped extends UsageBucket {
  readonly name: string;
  /** Changes with every change of the usage. */
  readonly stamp: string;
}

/** Creates the reader of usage, see `usage-counters.ts` for the layout. */
export function createReadUsage(redis: Redis | Cluster, keys: Keys) {
  const readHashes = createScript(redis, readSource);
  const labelsOf = createUsageLabels(redis, keys);
  const rowCache = createUsageCache<UsageRow>(maxCachedRows);
  const groupCache = createUsageCache<UsageGroup>(maxCachedGroups);

  /** Reads hashes call by call and parses each reply at once, so that neither Redis nor this process blocks others for long. */
  async function readEach<Parsed>(
    tenant: string,
    buckets: readonly string[],
    parse: (text: string) => Parsed,
  ): Promise<Parsed[]> {
    const names = buckets.map((bucket) => keys.usage(tenant, bucket));
    const all: Parsed[] = [];
    for (let i = 0; i < names.length; i += hashesPerCall) {
      const texts = (await readHashes(names.slice(i, i + hashesPerCall), [])) as string[];
      all.push(...texts.map(parse));
    }
    return all;
  }

  /** Reads the rows of each hash. */
  async function readRows(tenant: string, hashes: readonly UsageBucket[]): Promise<UsageRow[][]> {
    const buckets = hashes.map(({ bucket }) => bucket);
    const read = await readEach(tenant, buckets, (text) =>
      [...sumsByPrefix(text)].map(([prefix, sums]) => {
        const dot = prefix.indexOf('.');
        return { row: prefix.slice(0, dot), provider: prefix.slice(dot + 1), sums };
      }),
    );
    const labels = await labelsOf(tenant, new Set(read.flatMap((rows) => rows.map(({ row }) => row))));
    return read.map((rows, i) =>
      rows.map(({ row, provider, sums }) => ({
        day: hashes[i]?.day ?? null,
        labels: labels.get(row) ?? noLabels,
        provider: provider === noProvider ? null : provider,
        sums,
      })),
    );
  }

  /** Returns the rows of each day or month. Only those that changed since this process read them are read. */
  async function rowsOf(tenant: string, buckets: readonly Stamped[]): Promise<(readonly UsageRow[])[]> {
    const found = buckets.map(({ name, stamp }) => rowCache.get({ bucket: name, grouping: '' }, stamp));
    const missing = buckets.filter((_, i) => found[i] === undefined);
    const read = await readRows(tenant, missing);
    for (const [i, { name, stamp }] of missing.entries()) {
      const rows = read[i] ?? [];
      if (hasLabels(rows)) rowCache.set({ bucket: name, grouping: '' }, stamp, rows);
    }
    let next = 0;
    return found.map((rows) => rows ?? read[next++] ?? []);
  }

  /** Returns the groups of each day. Only days that changed since this process grouped them are grouped. */
  async function groupsByDay(tenant: string, days: readonly Stamped[], grouping: UsageGrouping) {
    const groupUsage = createGroupUsage(grouping);
    const groupingName = nameOfGrouping(grouping);
    const listOf = ({ name }: Stamped) => ({ bucket: name, grouping: groupingName });
    const found = days.map((day) => groupCache.get(listOf(day), day.stamp));
    const missing = days.filter((_, i) => found[i] === undefined);
    const read = (await rowsOf(tenant, missing)).map((rows) => ({ rows, groups: groupUsage(rows) }));
    for (const [i, day] of missing.entries()) {
      const { rows = [], groups = [] } = read[i] ?? {};
      if (hasLabels(rows)) groupCache.set(listOf(day), day.stamp, groups);
    }
    let next = 0;
    return found.map((groups) => groups ?? read[next++]?.groups ?? []);
  }

  return {
    async read(
      tenant: string,
      { fromDay, toDay, grouping }: Range & { readonly grouping: UsageGrouping },
    ): Promise<readonly (readonly UsageGroup[])[]> {
      if (fromDay >= toDay) return [];
      // The totals come first: a change between both reads only makes a later query read once more.
      const months = totalsFor(fromDay, toDay);
      if (isTotal(grouping)) {
        const rows = await readEach(tenant, months, totalRows);
        const isWanted = ({ day }: UsageRow) => day !== null && day >= fromDay && day < toDay;
        return [createGroupUsage(grouping)(rows.flat().filter(isWanted))];
      }
      const stamps = await readEach(tenant, months, stampsByDay);
      const stamped = createStamps(tenant, stamps);
      if (grouping.dimensions.has('day')) {
        return groupsByDay(tenant, stamped(daysIn(fromDay, toDay)), grouping);
      }
      const rows = await rowsOf(tenant, stamped(bucketsFor(fromDay, toDay)));
      return [createGroupUsage(grouping)(rows.flat())];
    },
    async purge(tenant: string, fromDay: number, toDay: number): Promise<void> {
      const buckets = bucketsToPurge(fromDay, toDay);
      for (const bucket of buckets) {
        for (const cache of [rowCache, groupCache]) cache.delete(nameIn(tenant, bucket));
      }
      if (buckets.length > 0) await redis.unlink(...buckets.map((bucket) => keys.usage(tenant, bucket)));
    },
  };
}

const nameIn = (tenant: string, bucket: string): string => `${tenant} ${bucket}`;

/** Whether rows may be cached. The labels of a row may be lost, for a short time only. */
const hasLabels = (rows: readonly UsageRow[]): boolean => rows.every(({ labels }) => labels !== noLabels);

/** Returns one row for each day of a month, without labels. */
const totalRows = (text: string): UsageRow[] =>
  [...sumsByPrefix(text)].map(([day, sums]) => ({
    day: Number(day),
    labels: noLabels,
    provider: null,
    sums,
  }));

/** Creates a function that returns the days and months with usage. */
function createStamps(tenant: string, months: readonly ReadonlyMap<number, string>[]) {
  const byDay = new Map(months.flatMap((days) => [...days]));
  return (buckets: readonly UsageBucket[]): Stamped[] =>
    buckets.flatMap((each) => {
      const stamp = range(each.fromDay, each.toDay)
        .flatMap((day) => byDay.get(day) ?? [])
        .join(';');
      return stamp === '' ? [] : [{ ...each, name: nameIn(tenant, each.bucket), stamp }];
    });
}
