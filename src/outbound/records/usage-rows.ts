import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { UsageCounters } from '../../domain/ports.ts';
import {
  emptySums,
  otherLabel,
  StoredLabels,
  type UsageLabels,
  type UsageMeasure,
  type UsageRow,
  usageMeasures,
} from '../../domain/usage.ts';
import { firstDayOfMonth, utcMonthOf } from '../../domain/utc-day.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';
import { letterOf, noProvider, rowName } from './usage-counters.ts';

/**
 * KEYS 1 rows. ARGV 1 maximum number of rows, then name and labels of each candidate, the preferred one first. Returns the
 * name of the first candidate that exists or may be created. The last candidate may always be created.
 */
const rowSource = `
local known = redis.call('HLEN', KEYS[1])
for i = 2, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then return ARGV[i] end
  if known < tonumber(ARGV[1]) * i / 2 or i + 1 == #ARGV then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    return ARGV[i]
  end
end
`;

/** KEYS hashes. Returns the fields and values of each as one text, which is read several times as fast as a list. */
const readSource = `
local texts = {}
for i, key in ipairs(KEYS) do texts[i] = table.concat(redis.call('HGETALL', key), ' ') end
return texts
`;

/** Maximum number of hashes per call. A script blocks Redis. */
const hashesPerCall = 16;
/** Maximum number of rows that a process knows. Above it, all are forgotten, which costs a call for each. */
const maxKnownRows = 100_000;
/** Rows are created again after this time, so that a row that Redis lost gets its labels back. */
const createAgainMs = 60_000;

const measureOf = new Map(usageMeasures.map((measure) => [letterOf[measure], measure]));

/** Creates the counters of usage, see `usage-counters.ts` for the layout. */
export function createUsageCounters(
  redis: Redis | Cluster,
  keys: Keys,
  { maxRows }: { maxRows: number },
): UsageCounters {
  const findRow = createScript(redis, rowSource);
  const readHashes = createScript(redis, readSource);
  const known = new Map<string, { row: number; untilMs: number }>();

  async function rowOf(tenant: string, labels: UsageLabels): Promise<number> {
    const wanted = canonicalJson(labels);
    const name = `${tenant} ${wanted}`;
    const held = known.get(name);
    const nowMs = performance.now();
    if (held && held.untilMs > nowMs) return held.row;
    const candidates = candidatesFor(labels).flatMap((json) => [rowName(rowFor(json)), json]);
    const found = await findRow([keys.usage(tenant, 'rows')], [maxRows, ...candidates]);
    const row = Number.parseInt(String(found), 36);
    if (known.size >= maxKnownRows) known.clear();
    known.set(name, { row, untilMs: nowMs + createAgainMs });
    return row;
  }

  async function readTexts(names: readonly string[]): Promise<string[]> {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < names.length; i += hashesPerCall) {
      calls.push(readHashes(names.slice(i, i + hashesPerCall), []));
    }
    return (await Promise.all(calls)).flatMap((texts) => texts as string[]);
  }

  /** Reads the rows of hashes. A hash of a day has its number. */
  async function readRows(
    tenant: string,
    hashes: readonly { readonly bucket: string; readonly day: number | null }[],
  ): Promise<UsageRow[]> {
    const [labels, texts] = await Promise.all([
      redis.hgetall(keys.usage(tenant, 'rows')),
      readTexts(hashes.map(({ bucket }) => keys.usage(tenant, bucket))),
    ]);
    const labelsOf = createLabels(labels);
    return texts.flatMap((text, i) =>
      [...sumsByPrefix(text)].map(([prefix, sums]) => {
        const [row = '', ...provider] = prefix.split('.');
        const name = provider.join('.');
        const { day = null } = hashes[i] ?? {};
        return { day, labels: labelsOf(row), provider: name === noProvider ? null : name, sums };
      }),
    );
  }

  async function readTotals(tenant: string, fromDay: number, toDay: number): Promise<UsageRow[]> {
    const months = range(utcMonthOf(fromDay), utcMonthOf(toDay - 1) + 1);
    const texts = await readTexts(months.map((month) => keys.usage(tenant, `t:${month}`)));
    return texts
      .flatMap((text) => [...sumsByPrefix(text)])
      .map(([day, sums]) => ({ day: Number(day), labels: noLabels, provider: null, sums }))
      .filter(({ day }) => day >= fromDay && day < toDay);
  }

  return {
    rowOf: (tenant, labels) => translated(() => rowOf(tenant, labels)),
    read: (tenant, { fromDay, toDay, byDay, isTotal }) =>
      translated(async () => {
        if (fromDay >= toDay) return [];
        if (isTotal) return readTotals(tenant, fromDay, toDay);
        return readRows(tenant, byDay ? daysIn(fromDay, toDay) : bucketsFor(fromDay, toDay));
      }),
    purge: (tenant, fromDay, toDay) =>
      translated(async () => {
        const months = range(utcMonthOf(fromDay), utcMonthOf(toDay));
        const buckets = [
          ...range(fromDay, toDay).map((day) => `d:${day}`),
          ...months.flatMap((month) => [`m:${month}`, `t:${month}`]),
        ];
        if (buckets.length > 0) await redis.unlink(...buckets.map((bucket) => keys.usage(tenant, bucket)));
      }),
  };
}

const noLabels: UsageLabels = { model: null, keyId: null, metadata: {} };

/** Returns the labels to try in their order: all, without the metadata, without the model. */
function candidatesFor({ model, keyId, metadata }: UsageLabels): string[] {
  const others = Object.fromEntries(Object.keys(metadata).map((key) => [key, otherLabel]));
  const reduced: UsageLabels[] = [
    { model, keyId, metadata },
    { model, keyId, metadata: others },
    { model: otherLabel, keyId, metadata: others },
  ];
  return reduced.map((labels) => canonicalJson(labels));
}

/** Number of a row: the first 48 bits of the digest of its labels. A store that lost a row creates the same one again. */
function rowFor(json: string): number {
  return createHash('sha256').update(json).digest().readUIntBE(0, 6);
}

function createLabels(stored: Readonly<Record<string, string>>): (row: string) => UsageLabels {
  const parsed = new Map<string, UsageLabels>();
  return (row) => {
    const labels = parsed.get(row) ?? parseLabels(stored[row]);
    parsed.set(row, labels);
    return labels;
  };
}

function parseLabels(json: string | undefined): UsageLabels {
  const labels = json === undefined ? undefined : StoredLabels.safeParse(JSON.parse(json));
  return labels?.success ? labels.data : noLabels;
}

/** Sums the fields of a hash by the part before their measure. Skips measures of a newer release. */
function sumsByPrefix(text: string): Map<string, Record<UsageMeasure, number>> {
  const rows = new Map<string, Record<UsageMeasure, number>>();
  for (let start = 0; start < text.length; ) {
    const gap = text.indexOf(' ', start);
    const next = text.indexOf(' ', gap + 1);
    const end = next < 0 ? text.length : next;
    const dot = text.lastIndexOf('.', gap);
    const measure = measureOf.get(text.slice(dot + 1, gap));
    const prefix = text.slice(start, dot);
    const sums = rows.get(prefix) ?? emptySums();
    rows.set(prefix, sums);
    if (measure) sums[measure] += Number(text.slice(gap + 1, end));
    start = end + 1;
  }
  return rows;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

const daysIn = (fromDay: number, toDay: number) =>
  range(fromDay, toDay).map((day) => ({ bucket: `d:${day}`, day }));

/** Returns the fewest hashes that cover a range: whole months, and the days at its ends. */
function bucketsFor(fromDay: number, toDay: number): { bucket: string; day: null }[] {
  const buckets: string[] = [];
  for (let day = fromDay; day < toDay; ) {
    const month = utcMonthOf(day);
    const next = firstDayOfMonth(month + 1);
    const isWhole = day === firstDayOfMonth(month) && next <= toDay;
    buckets.push(isWhole ? `m:${month}` : `d:${day}`);
    day = isWhole ? next : day + 1;
  }
  return buckets.map((bucket) => ({ bucket, day: null }));
}
