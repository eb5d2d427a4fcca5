import type { Result } from './run-scenario.ts';

const columns = [
  'scenario',
  'seconds',
  'jobs',
  'images',
  'charged',
  'extra',
  'cut short',
  'unpaid uncertain',
  'events',
  'verdict',
] as const;
const shownFaults = 12;

/** Formats the figures of all scenarios as a table, followed by the findings of each. */
export function report(results: readonly Result[]): string {
  const rows = results.map(({ name, seconds, figures, faults, late }) => [
    name,
    seconds.toFixed(0),
    ...[figures.jobs, figures.images, figures.charged, figures.extra, figures.cutShort].map(String),
    ...[figures.unpaidUncertain, figures.deliveries].map(String),
    faults.length > 0 ? 'BROKEN' : late.length > 0 ? 'LATE' : 'ok',
  ]);
  return [table([[...columns], ...rows]), ...results.map(details)].join('\n\n');
}

function details({ name, findings, faults }: Result): string {
  const found = findings.map(({ figure, found, allowed, ok }) => {
    const limit = allowed === undefined ? '' : ` (allowed: ${allowed})`;
    return `  ${ok === false ? '✗' : ' '} ${figure}: ${found}${limit}`;
  });
  const more = faults.length > shownFaults ? [`  ✗ and ${faults.length - shownFaults} more`] : [];
  return [name, ...found, ...faults.slice(0, shownFaults).map((fault) => `  ✗ ${fault}`), ...more].join('\n');
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  '),
    )
    .join('\n');
}
