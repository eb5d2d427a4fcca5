import type { Problem } from '../../api/types.ts';

/** Returns the faults of fields by pointer, from the problem of a refused request. Nested pointers also name their field. */
export function fieldErrors(error: { readonly problem: Problem | null } | null): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  for (const { pointer, detail } of error?.problem?.errors ?? []) {
    faults.set(pointer, detail);
    const field = /^\/[^/]+/.exec(pointer)?.[0];
    if (field && !faults.has(field)) faults.set(field, detail);
  }
  return faults;
}
