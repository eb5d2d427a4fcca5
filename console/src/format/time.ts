/** Formats a duration: `0.4 s`, `13.2 s`, `2 min 5 s`, `3 h 20 min`. */
export function formatDuration(ms: number, language: string): string {
  const unit = (value: number, name: string, digits = 0) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      // The short form of English is "sec" and "hr", the narrow form of a minute is "m".
      unitDisplay: name === 'minute' ? 'short' : 'narrow',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
      .format(value)
      .replace(/(\d)([a-z])/, '$1 $2');
  const seconds = ms / 1000;
  if (seconds < 59.95) return unit(seconds, 'second', 1);
  const whole = Math.round(seconds);
  if (whole < 3600) return `${unit(Math.floor(whole / 60), 'minute')} ${unit(whole % 60, 'second')}`;
  return `${unit(Math.floor(whole / 3600), 'hour')} ${unit(Math.floor((whole % 3600) / 60), 'minute')}`;
}

/** Formats the latency of a response: `84 ms`, and from a second on as a duration. */
export const formatLatency = (ms: number, language: string): string =>
  ms < 1000 ? `${ms} ms` : formatDuration(ms, language);

/** Formats a running time as a clock: `0:14`, `12:05`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Formats a time with its date. */
export function formatTime(
  iso: string,
  language: string,
  options: { utc?: boolean; seconds?: boolean } = {},
) {
  return new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: options.seconds ? 'medium' : 'short',
    ...(options.utc ? { timeZone: 'UTC' } : {}),
  }).format(new Date(iso));
}

/** Formats a time for a list: the time of the day if it is today, otherwise with its date. */
export function formatShortTime(iso: string, nowMs: number, language: string): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date(nowMs).toDateString();
  return new Intl.DateTimeFormat(
    language,
    isToday
      ? { timeStyle: 'medium' }
      : { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  ).format(at);
}

/** Formats a size in bytes: `812 byte`, `1.4 MB`. */
export function formatBytes(bytes: number, language: string): string {
  const [unit, divisor] =
    bytes < 1000
      ? ['byte', 1]
      : bytes < 1_000_000
        ? ['kilobyte', 1000]
        : bytes < 1e9
          ? ['megabyte', 1e6]
          : ['gigabyte', 1e9];
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: unit as string,
    unitDisplay: 'short',
    maximumFractionDigits: bytes < 1000 ? 0 : 1,
  }).format(bytes / (divisor as number));
}
