/** Ids of the jobs of the gallery in their order, for the keys that open the next and the previous job. */
let order: readonly string[] = [];

/** Remembers the order of the gallery. */
export function rememberOrder(ids: readonly string[]): void {
  order = ids;
}

/** Returns the job before (-1) or after (1) another one in the gallery; null if there is none. */
export function neighborInGallery(id: string, step: 1 | -1): string | null {
  const at = order.indexOf(id);
  return at < 0 ? null : (order[at + step] ?? null);
}
