import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { UsageCounters } from '../../domain/ports.ts';
import { otherLabel, type UsageLabels } from '../../domain/usage.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { createScript } from '../../lib/redis/script.ts';
import type { Keys } from './keys.ts';
import { createReadUsage } from './read-usage.ts';
import { translated } from './store-errors.ts';
import { rowName } from './usage-counters.ts';

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

/** Maximum number of rows that a process knows. Above it, all are forgotten, which costs a call for each. */
const maxKnownRows = 100_000;
/** Rows are created again after this time, so that a row that Redis lost gets its labels back. */
const createAgainMs = 60_000;

/** Creates the counters of usage, see `usage-counters.ts` for the layout. */
export function createUsageCounters(
  redis: Redis | Cluster,
  keys: Keys,
  { maxRows }: { maxRows: number },
): UsageCounters {
  const findRow = createScript(redis, rowSource);
  const known = new Map<string, { row: number; untilMs: number }>();
  const usage = createReadUsage(redis, keys);

  async function rowOf(tenant: string, labels: UsageLabels): Promise<number> {
    const { model, keyId, metadata } = labels;
    const name = `${tenant} ${keyId} ${model} ${JSON.stringify(metadata)}`;
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

  return {
    rowOf: (tenant, labels) => translated(() => rowOf(tenant, labels)),
    read: (tenant, options) => translated(() => usage.read(tenant, options)),
    purge: (tenant, fromDay, toDay) => translated(() => usage.purge(tenant, fromDay, toDay)),
  };
}

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
