/** Values of a query by name. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Returns the query of an address with its question mark; empty without values. */
export function queryText(query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  const text = new URLSearchParams(given).toString();
  return text === '' ? '' : `?${text}`;
}
