import type { Cluster, Redis } from 'ioredis';
import { StoredLabels, type UsageLabels } from '../../domain/usage.ts';
import type { Keys } from './keys.ts';

/** Labels of a row whose labels Redis lost. */
export const noLabels: UsageLabels = { model: null, keyId: null, metadata: {} };

/** Maximum number of rows whose labels a process knows. Above it, all are read again. */
const maxKnown = 100_000;
const rowsPerCall = 1_000;

/**
 * Creates the reader of the labels of rows. A row never changes its labels, because its number follows from them, so each row is
 * read once. Rows without labels are missing in the result.
 */
export function createUsageLabels(redis: Redis | Cluster, keys: Keys) {
  const known = new Map<string, UsageLabels>();

  async function read(tenant: string, rows: readonly string[]): Promise<(readonly [string, UsageLabels])[]> {
    const texts = await redis.hmget(keys.usage(tenant, 'rows'), ...rows);
    return rows.flatMap((row, i) => {
      const labels = parse(texts[i] ?? null);
      return labels ? [[row, labels] as const] : [];
    });
  }

  return async (tenant: string, rows: ReadonlySet<string>): Promise<ReadonlyMap<string, UsageLabels>> => {
    const nameOf = (row: string) => `${tenant} ${row}`;
    const found = new Map<string, UsageLabels>();
    const missing: string[] = [];
    for (const row of rows) {
      const labels = known.get(nameOf(row));
      if (labels) found.set(row, labels);
      else missing.push(row);
    }
    if (known.size + missing.length > maxKnown) known.clear();
    for (let i = 0; i < missing.length; i += rowsPerCall) {
      for (const [row, labels] of await read(tenant, missing.slice(i, i + rowsPerCall))) {
        found.set(row, labels);
        known.set(nameOf(row), labels);
      }
    }
    return found;
  };
}

/** Returns stored labels; `null` if they are missing, or if only another release can read them. */
function parse(text: string | null): UsageLabels | null {
  try {
    return StoredLabels.safeParse(JSON.parse(text ?? 'null')).data ?? null;
  } catch {
    return null;
  }
}
