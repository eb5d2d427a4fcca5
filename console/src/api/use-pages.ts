import { useState } from 'preact/hooks';
import type { Page } from './types.ts';
import { type Live, useLive } from './use-live.ts';

/** The items of all loaded pages of a list. */
export interface Pages<Item> extends Pick<Live<unknown>, 'error' | 'refresh'> {
  /** Undefined before the first response. */
  readonly items: readonly Item[] | undefined;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  /** Loads one more page. */
  readonly more: () => void;
}

/**
 * Loads a list page by page. A repetition reads all loaded pages again, so that new items at the top push no other item out
 * between two pages. Other inputs start with one page.
 */
export function usePages<Item>(
  read: (cursor: string | null, signal: AbortSignal) => Promise<Page<Item>>,
  inputs: readonly string[],
  options: { everyMs?: number } = {},
): Pages<Item> {
  const name = inputs.join('\n');
  const [wanted, setWanted] = useState({ name, count: 1 });
  const count = wanted.name === name ? wanted.count : 1;
  const { data, error, isLoading, refresh } = useLive(
    async (signal) => ({ ...(await readPages((cursor) => read(cursor, signal), count)), count }),
    [name, count],
    options,
  );
  // A call for a further page has not succeeded yet.
  const isBehind = data !== undefined && data.count < count;
  return {
    items: data?.items,
    hasMore: data?.hasMore ?? false,
    isLoadingMore: isLoading && isBehind,
    error,
    refresh,
    more: () => (isBehind ? refresh() : setWanted({ name, count: count + 1 })),
  };
}

/** Reads the first pages of a list. */
export async function readPages<Item>(
  read: (cursor: string | null) => Promise<Page<Item>>,
  count: number,
): Promise<{ items: readonly Item[]; hasMore: boolean }> {
  const items: Item[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < count; page += 1) {
    const next: Page<Item> = await read(cursor);
    items.push(...next.data);
    cursor = next.next_cursor;
    if (cursor === null) break;
  }
  return { items, hasMore: cursor !== null };
}
