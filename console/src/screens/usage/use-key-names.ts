import type { ManagedKey, Page } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { readPages } from '../../api/use-pages.ts';
import { useSession } from '../../lib/context.ts';

const pageSize = 100;
/** Maximum number of pages that are read. The ids of further keys stand for their names. */
const maxPages = 10;

/** Returns the names of the keys of a tenant by id, while the report is grouped by key. */
export function useKeyNames(isEnabled: boolean, tenant: string): ReadonlyMap<string, string> {
  const { api } = useSession();
  const { data } = useLive(
    async (signal) => {
      const { items } = await readPages((cursor) => {
        const query = { tenant, limit: pageSize, cursor };
        return api.call<Page<ManagedKey>>('/keys', { query, signal });
      }, maxPages);
      return new Map(items.map(({ id, name }) => [id, name]));
    },
    [api, tenant],
    { isEnabled },
  );
  return data ?? noNames;
}

const noNames: ReadonlyMap<string, string> = new Map();
