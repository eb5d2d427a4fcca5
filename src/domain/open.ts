/**
 * A value of a known list, or one that a newer release wrote into a record. Stored data is open: this release keeps an
 * unknown value as it is and never drops it.
 */
export type Open<Known extends string> = Known | (string & Record<never, never>);

/** Whether a stored value is in a list of this release. */
export function isKnown<Known extends string>(list: readonly Known[], value: string): value is Known {
  return (list as readonly string[]).includes(value);
}
