import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { UsageCounters } from '../../domain/ports.ts';
import { otherLabel, StoredLabels, type UsageLabels, type UsageRow } from '../../domain/usage.ts';
import { firstDayOfMonth, utcMonthOf } from '../../domain/utc-day.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';
import { createUsageCache } from './usage-cache.ts';
import { noProvider, rowName } from './usage-counters.ts';
import { stampsByDay, sumsByPrefix } from './usage-text.ts';

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
/** Maximum number of cached rows of days: a year with 100 keys that use four models. */
const maxCachedRows = 150_000;

/** Creates the counters of usage, see `usage-counters.ts` for the layout. */
export function createUsageCounters(
  redis: Redis | Cluster,
  keys: Keys,
  { maxRows }: { maxRows: number },
): UsageCounters {
  const findRow = createScript(redis, rowSource);
  const readHashes = createScript(redis, readSource);
  const known = new Map<string, { row: number; untilMs: number }>();
  const cache = createUsageCache(maxCachedRows);

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

  /** Reads the rows of each hash. */
  async function readRows(tenant: string, hashes: readonly Bucket[]): Promise<UsageRow[][]> {
    if (hashes.length === 0) return [];
    const [labels, texts] = await Promise.all([
      redis.hgetall(keys.usage(tenant, 'rows')),
      readTexts(hashes.map(({ bucket }) => keys.usage(tenant, bucket))),
    ]);
    const labelsOf = createLabels(labels);
    return texts.map((text, i) =>
      [...sumsByPrefix(text)].map(([prefix, sums]) => {
        const [row = '', ...provider] = prefix.split('.');
        const name = provider.join('.');
        const { day = null } = hashes[i] ?? {};
        return { day, labels: labelsOf(row), provider: name === noProvider ? null : name, sums };
      }),
    );
  }

  const readMonths = (tenant: string, fromDay: number, toDay: number): Promise<string[]> => {
    const months = range(utcMonthOf(fromDay), utcMonthOf(toDay - 1) + 1);
    return readTexts(months.map((month) => keys.usage(tenant, `t:${month}`)));
  };

  /** Reads the rows of days and months. Only those that changed since this process read them are read again. */
  async function readChanged(
    tenant: string,
    wanted: readonly Bucket[],
    texts: readonly string[],
  ): Promise<UsageRow[]> {
    const stampOf = createStamps(texts);
    const found = wanted.flatMap((bucket) => {
      const stamp = stampOf(bucket);
      const name = `${tenant} ${bucket.bucket}`;
      return stamp === '' ? [] : [{ ...bucket, name, stamp, rows: cache.get(name, stamp) }];
    });
    const missing = found.filter(({ rows }) => rows === undefined);
    const read = await readRows(tenant, missing);
    for (const [i, { name, stamp }] of missing.entries()) {
      const rows = read[i] ?? [];
      // The labels of a row may be lost for a short time only.
      if (rows.every(({ labels }) => labels !== noLabels)) cache.set(name, stamp, rows);
    }
    let next = 0;
    return found.flatMap(({ rows }) => rows ?? read[next++] ?? []);
  }

  async function readTotals(tenant: string, fromDay: number, toDay: number): Promise<UsageRow[]> {
    return (await readMonths(tenant, fromDay, toDay))
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
        // The totals come first: a change between both reads only makes a later query read once more.
        const totals = await readMonths(tenant, fromDay, toDay);
        return readChanged(tenant, (byDay ? daysIn : bucketsFor)(fromDay, toDay), totals);
      }),
    purge: (tenant, fromDay, toDay) =>
      translated(async () => {
        const months = range(utcMonthOf(fromDay), utcMonthOf(toDay));
        const buckets = [
          ...range(fromDay, toDay).map((day) => `d:${day}`),
          ...months.flatMap((month) => [`m:${month}`, `t:${month}`]),
        ];
        for (const bucket of buckets) cache.delete(`${tenant} ${bucket}`);
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

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** A hash of a day or a whole month. */
interface Bucket {
  readonly bucket: string;
  /** `null` if the rows of several days are one. */
  readonly day: number | null;
  readonly fromDay: number;
  /** Exclusive. */
  readonly toDay: number;
}

const dayBucket = (day: number): Bucket => ({ bucket: `d:${day}`, day, fromDay: day, toDay: day + 1 });

const daysIn = (fromDay: number, toDay: number): Bucket[] => range(fromDay, toDay).map(dayBucket);

/** Returns the fewest hashes that cover a range: whole months, and the days at its ends. */
function bucketsFor(fromDay: number, toDay: number): Bucket[] {
  const buckets: Bucket[] = [];
  for (let day = fromDay; day < toDay; ) {
    const month = utcMonthOf(day);
    const next = firstDayOfMonth(month + 1);
    const isWhole = day === firstDayOfMonth(month) && next <= toDay;
    buckets.push(isWhole ? { bucket: `m:${month}`, day: null, fromDay: day, toDay: next } : dayBucket(day));
    day = buckets.at(-1)?.toDay ?? toDay;
  }
  return buckets;
}

/** Creates a function that returns a text which changes with every change of a bucket; empty if the bucket is empty. */
function createStamps(totals: readonly string[]): (bucket: Bucket) => string {
  const byDay = new Map(totals.flatMap((text) => [...stampsByDay(text)]));
  return ({ fromDay, toDay }) =>
    range(fromDay, toDay)
      .flatMap((day) => byDay.get(day) ?? [])
      .join(';');
}
