/** Calendar days in UTC, as whole days since 1970. */

const dayMs = 86_400_000;

/** Returns the day of a time. */
export const utcDayOf = (timeMs: number): number => Math.floor(timeMs / dayMs);

/** Returns the time at which a day begins, in milliseconds. */
export const startOfUtcDay = (day: number): number => day * dayMs;

/** Returns a day as `YYYY-MM-DD`. */
export const isoDay = (day: number): string => new Date(startOfUtcDay(day)).toISOString().slice(0, 10);

/** Returns the month of a day, as whole months since 1970. */
export function utcMonthOf(day: number): number {
  const date = new Date(startOfUtcDay(day));
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** Returns the first day of a month. */
export const firstDayOfMonth = (month: number): number => utcDayOf(Date.UTC(1970, month, 1));
