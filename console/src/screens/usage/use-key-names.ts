import type { ManagedKey, Page } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { useSession } from '../../lib/context.ts';

const pageSize = 100;
/** Maximum number of pages that are read. The ids of further keys stand for their names. */
const maxPages = 10;

/** Returns the names of the keys of a tenant by id, while the report is grouped by key. */
export function useKeyNames(isEnabled: boolean, tenant: string): ReadonlyMap<string, string> {
  const { api } = useSession();
  const { data } = useLive(
    async (signal) => {
      const names = new Map<string, string>();
      let cursor: string | null = null;
      for (let page = 0; page < maxPages; page += 1) {
        const query = { tenant, limit: pageSize, cursor };
        const keys: Page<ManagedKey> = await api.call('/keys', { query, signal });
        for (const { id, name } of keys.data) names.set(id, name);
        cursor = keys.next_cursor;
        if (cursor === null) break;
      }
      return names;
    },
    [api, tenant],
    { isEnabled },
  );
  return data ?? noNames;
}

const noNames: ReadonlyMap<string, string> = new Map();
