import { InvalidArgumentError } from 'commander';

/** Parses a date or a time. A date is its start in UTC, and a time without a zone is UTC. @returns milliseconds. */
export function parseTime(text: string): number {
  const [, date = '', time = ''] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d.*)?$/.exec(text) ?? [];
  const dayMs = Date.parse(`${date}T00:00Z`);
  const hasZone = time === '' || /(Z|[+-]\d\d:?\d\d)$/.test(time);
  const ms = Date.parse(hasZone ? text : `${text}Z`);
  // Date.parse reads 30 February as 2 March.
  const isDay = !Number.isNaN(dayMs) && new Date(dayMs).toISOString().startsWith(date);
  if (!isDay || Number.isNaN(ms)) {
    throw new InvalidArgumentError('It must be a date such as 2026-11-01, or a time in UTC.');
  }
  return ms;
}

/** Refuses a period whose end is not after its start. */
export function checkPeriod({ from, to }: { readonly from?: number; readonly to?: number }): void {
  if (from !== undefined && to !== undefined && from >= to) throw new Error('--from must be before --to.');
}
