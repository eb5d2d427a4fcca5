const units = [
  ['second', 1],
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
] as const;

/** Formats a time relative to another: `12 sec. ago`, `in 24 min.`, `now`. */
export function formatRelative(iso: string, nowMs: number, language: string): string {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1000);
  const [unit, divisor] = units.findLast(([, size]) => Math.abs(seconds) >= size) ?? units[0];
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  return format.format(Math.trunc(seconds / divisor), unit);
}
