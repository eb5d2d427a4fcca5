import { type UsageGrouping, usageDimensions, usageMeasures } from '../../../../domain/usage.ts';
import type { UsageRow } from '../../schemas/usage.ts';

const columnOf = { day: 'day', model: 'model', key: 'key_id', provider: 'provider' } as const;

/** Returns rows as CSV (RFC 4180) with a header line. An unknown value is an empty field. */
export function toCsv(rows: readonly UsageRow[], { dimensions, metadataKeys }: UsageGrouping): string {
  const columns = usageDimensions.filter((each) => dimensions.has(each)).map((each) => columnOf[each]);
  const header = [...columns, ...metadataKeys.map((key) => `metadata.${key}`), ...usageMeasures];
  const lines = rows.map((row) => [
    ...columns.map((column) => row[column] ?? ''),
    ...metadataKeys.map((key) => row.metadata?.[key] ?? ''),
    ...usageMeasures.map((measure) => String(row[measure])),
  ]);
  return [header, ...lines].map((line) => `${line.map(csvField).join(',')}\r\n`).join('');
}

/** Returns a field. Spreadsheets must not run a text of a caller as a formula, so such a text begins with an apostrophe. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
