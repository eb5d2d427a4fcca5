import type { UsageRow } from '../../domain/usage.ts';

/** Rows of days and months that were read before. */
export interface UsageCache {
  /** Returns rows if they were read at the same stamp. */
  get(name: string, stamp: string): readonly UsageRow[] | undefined;
  set(name: string, stamp: string, rows: readonly UsageRow[]): void;
  delete(name: string): void;
}

/**
 * Creates a cache of the rows of days and months, because most of a year does not change any more. Rows that were used longest
 * ago leave first.
 *
 * @param maxRows maximum number of rows. A row takes about 200 bytes.
 */
export function createUsageCache(maxRows: number): UsageCache {
  const entries = new Map<string, { readonly stamp: string; readonly rows: readonly UsageRow[] }>();
  let size = 0;

  function remove(name: string): void {
    size -= entries.get(name)?.rows.length ?? 0;
    entries.delete(name);
  }

  return {
    get(name, stamp) {
      const held = entries.get(name);
      if (!held || held.stamp !== stamp) return undefined;
      entries.delete(name);
      entries.set(name, held);
      return held.rows;
    },
    set(name, stamp, rows) {
      remove(name);
      if (rows.length > maxRows) return;
      entries.set(name, { stamp, rows });
      size += rows.length;
      for (const oldest of entries.keys()) {
        if (size <= maxRows) break;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
