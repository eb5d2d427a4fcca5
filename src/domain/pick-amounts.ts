/**
 * Copies the numbers and booleans of a record, and of its other fields only the listed ones. Everything else may hold texts
 * of a person, including fields that a newer release wrote.
 */
export function pickAmounts(record: object, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).filter(
      ([field, value]) => typeof value === 'number' || typeof value === 'boolean' || fields.includes(field),
    ),
  );
}
