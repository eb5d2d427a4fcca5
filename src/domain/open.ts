/**
 * A value of a known list, or a value that a newer release wrote into a record. Stored data is open: this release
 * preserves an unknown value unchanged.
 */
export type Open<Known extends string> = Known | (string & Record<never, never>);

/** Returns whether a stored value is in a list of this release. */
export function isKnown<Known extends string>(list: readonly Known[], value: string): value is Known {
  return (list as readonly string[]).includes(value);
}
