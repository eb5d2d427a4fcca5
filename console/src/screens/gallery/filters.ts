/** Filters of the gallery, as the address of the screen holds them. */
export interface Filters {
  readonly status: string | null;
  readonly model: string | null;
  /** Length of the time before now, such as `7d`. */
  readonly since: string | null;
  readonly parent: string | null;
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

const hourMs = 3_600_000;

/** Times that can be chosen, in milliseconds before now. */
export const periods: Readonly<Record<string, number>> = {
  '1h': hourMs,
  '24h': 24 * hourMs,
  '7d': 7 * 24 * hourMs,
  '30d': 30 * 24 * hourMs,
};

const metadataName = /^metadata\[(.+)\]$/s;

/** Reads the filters of an address. */
export function filtersOf(query: URLSearchParams): Filters {
  const since = query.get('since');
  return {
    status: query.get('status'),
    model: query.get('model'),
    since: since !== null && Object.hasOwn(periods, since) ? since : null,
    parent: query.get('parent'),
    metadata: [...query].flatMap(([name, value]) => {
      const key = metadataName.exec(name)?.[1];
      return key === undefined ? [] : [[key, value] as const];
    }),
  };
}

/** Returns whether any filter is set. */
export function hasFilters({ status, model, since, parent, metadata }: Filters): boolean {
  return [status, model, since, parent].some((each) => each !== null) || metadata.length > 0;
}

/** Returns the query of `GET /images` for filters. A period begins at a full minute, so that pages of one list agree. */
export function apiQuery(
  { status, model, since, parent, metadata }: Filters,
  nowMs: number,
): Record<string, string> {
  const period = since === null ? undefined : periods[since];
  const afterMs = period === undefined ? null : Math.floor((nowMs - period) / 60_000) * 60_000;
  return {
    ...(status ? { status } : {}),
    ...(model ? { model } : {}),
    ...(parent ? { parent } : {}),
    ...(afterMs === null ? {} : { created_after: new Date(afterMs).toISOString() }),
    ...Object.fromEntries(metadata.map(([key, value]) => [`metadata[${key}]`, value])),
  };
}
