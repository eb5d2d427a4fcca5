const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** Formats a time by its distance: `2 minutes ago`, `in 12 hours`. */
export function formatRelative(iso: string, nowMs: number, language: string): string {
  const seconds = (Date.parse(iso) - nowMs) / 1000;
  const [unit, size] = units.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  return format.format(Math.trunc(seconds / size), unit);
}
