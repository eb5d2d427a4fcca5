import {
  type UsageGroup,
  type UsageGrouping,
  usageDimensions,
  usageMeasures,
} from '../../../../domain/usage.ts';
import { isoDay } from '../../../../domain/utc-day.ts';
import type { UsageReport } from '../../../../usecases/usage/report-usage.ts';
import type { UsageRow } from '../../schemas/usage.ts';

type Format = 'json' | 'csv';

/** Renders the groups of one list. */
type RenderPart = (groups: readonly UsageGroup[], grouping: UsageGrouping) => string;

/**
 * Creates the function that renders reports of usage. The text of a list of groups lives as long as the list, because most
 * days of a year do not change between two reports, and writing their rows again takes most of the time of a report.
 */
export function createRenderUsage() {
  const partsOf = { json: createRenderParts(jsonRows), csv: createRenderParts(csvLines) };
  return (format: Format, report: UsageReport): { contentType: string; body: Buffer } => {
    const parts = partsOf[format](report);
    if (format === 'csv') {
      const body = Buffer.concat([Buffer.from(csvHeader(report.grouping)), ...parts]);
      return { contentType: 'text/csv; charset=utf-8', body };
    }
    const rows = parts.flatMap((part, i) => (i === 0 ? [part] : [comma, part]));
    const body = Buffer.concat([listStart, ...rows, listEnd]);
    return { contentType: 'application/json; charset=utf-8', body };
  };
}

const comma = Buffer.from(',');
const listStart = Buffer.from('{"object":"list","data":[');
const listEnd = Buffer.from(']}');

function createRenderParts(render: RenderPart) {
  const known = new WeakMap<readonly UsageGroup[], Buffer>();
  return ({ parts, grouping }: UsageReport): Buffer[] =>
    parts.flatMap((groups) => {
      if (groups.length === 0) return [];
      const text = known.get(groups) ?? Buffer.from(render(groups, grouping));
      known.set(groups, text);
      return [text];
    });
}

/** Returns the rows as elements of a JSON array, in the sequence of fields of `UsageRow`. */
const jsonRows: RenderPart = (groups) => groups.map((group) => JSON.stringify(viewGroup(group))).join(',');

/** Fields of a row. Those of dimensions that the query does not separate are `undefined`, which JSON leaves out. */
type ViewedRow = { [Field in keyof UsageRow]: UsageRow[Field] | undefined };

/** Returns the fields of a row. All rows have the same fields, because such objects are written several times as fast. */
const viewGroup = ({ day, model, keyId, provider, metadata, sums }: UsageGroup): ViewedRow => ({
  day: day === undefined ? undefined : isoDay(day),
  model,
  key_id: keyId,
  provider,
  metadata,
  jobs: sums.jobs,
  images: sums.images,
  failed: sums.failed,
  micro_usd: sums.micro_usd,
  micro_usd_possible: sums.micro_usd_possible,
  unknown_cost_jobs: sums.unknown_cost_jobs,
  tokens: sums.tokens,
});

const columnOf = { day: 'day', model: 'model', key: 'key_id', provider: 'provider' } as const;
const columnsOf = ({ dimensions }: UsageGrouping) =>
  usageDimensions.filter((each) => dimensions.has(each)).map((each) => columnOf[each]);

/** Returns the header line of CSV (RFC 4180). */
function csvHeader(grouping: UsageGrouping): string {
  const metadata = grouping.metadataKeys.map((key) => `metadata.${key}`);
  return csvLine([...columnsOf(grouping), ...metadata, ...usageMeasures]);
}

/** Returns a line for each group. An unknown value is an empty field. */
const csvLines: RenderPart = (groups, grouping) => {
  const columns = columnsOf(grouping);
  return groups
    .map(viewGroup)
    .map((row) =>
      csvLine([
        ...columns.map((column) => row[column] ?? ''),
        ...grouping.metadataKeys.map((key) => row.metadata?.[key] ?? ''),
        ...usageMeasures.map((measure) => String(row[measure])),
      ]),
    )
    .join('');
};

const csvLine = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`;

/** Returns a field. Spreadsheets must not run a text of a caller as a formula, so such a text begins with an apostrophe. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
