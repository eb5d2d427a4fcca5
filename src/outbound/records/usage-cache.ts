/** Lists of rows or groups of days and months that were made before. */
export interface UsageCache<Item> {
  /** Returns a list if it was made at the same stamp. */
  get(name: UsageListName, stamp: string): readonly Item[] | undefined;
  set(name: UsageListName, stamp: string, items: readonly Item[]): void;
  /** Deletes all lists of a day or month. */
  delete(bucket: string): void;
}

export interface UsageListName {
  /** Day or month of a tenant. */
  readonly bucket: string;
  /** Grouping of its list; empty for a list of rows. */
  readonly grouping: string;
}

/**
 * Creates a cache of the usage of days and months, because most of a year does not change any more. Lists that were used
 * longest ago leave first.
 *
 * @param maxItems maximum number of items of all lists. An item takes about 200 bytes.
 */
export function createUsageCache<Item>(maxItems: number): UsageCache<Item> {
  const entries = new Map<string, { readonly stamp: string; readonly items: readonly Item[] }>();
  let size = 0;
  const keyOf = ({ bucket, grouping }: UsageListName) => `${bucket}\n${grouping}`;

  function remove(key: string): void {
    size -= entries.get(key)?.items.length ?? 0;
    entries.delete(key);
  }

  return {
    get(name, stamp) {
      const key = keyOf(name);
      const held = entries.get(key);
      if (!held || held.stamp !== stamp) return undefined;
      entries.delete(key);
      entries.set(key, held);
      return held.items;
    },
    set(name, stamp, items) {
      const key = keyOf(name);
      remove(key);
      if (items.length > maxItems) return;
      entries.set(key, { stamp, items });
      size += items.length;
      for (const oldest of entries.keys()) {
        if (size <= maxItems) break;
        remove(oldest);
      }
    },
    delete(bucket) {
      const prefix = keyOf({ bucket, grouping: '' });
      for (const key of entries.keys()) if (key.startsWith(prefix)) remove(key);
    },
  };
}
