import type { BudgetWindow } from './access-policy.ts';
import { firstDayOfMonth, startOfUtcDay, utcDayOf, utcMonthOf } from './utc-day.ts';

/** Windows of budgets. All are UTC, and a week begins on Monday. */

/**
 * Name of one window: `total`, or the first letter of its kind and its first day, in days since 1970. `m20393` is November
 * 2025. The money of an owner is counted by these names.
 */
export type WindowName = 'total' | `${'d' | 'w' | 'm'}${number}`;

type WindowNames = readonly [WindowName, ...WindowName[]];

let lastDay: { readonly day: number; readonly names: WindowNames } | undefined;

/** Returns the names of all windows in which a job counts that was accepted at a time, the day first. */
export function windowNamesAt(timeMs: number): WindowNames {
  const day = utcDayOf(timeMs);
  // The last day is remembered, because nearly all jobs were accepted on it and calendars are slow.
  if (lastDay?.day === day) return lastDay.names;
  const names: WindowNames = [
    `d${day}`,
    `w${firstOfWeek(day)}`,
    `m${firstDayOfMonth(utcMonthOf(day))}`,
    'total',
  ];
  lastDay = { day, names };
  return names;
}

/** Returns the name of the window that contains a time, and its end: `null` if it never ends. */
export function windowAt(
  window: BudgetWindow,
  timeMs: number,
): { readonly windowName: WindowName; readonly resetsAtMs: number | null } {
  const day = utcDayOf(timeMs);
  switch (window) {
    case 'day':
      return { windowName: `d${day}`, resetsAtMs: startOfUtcDay(day + 1) };
    case 'week':
      return { windowName: `w${firstOfWeek(day)}`, resetsAtMs: startOfUtcDay(firstOfWeek(day) + 7) };
    case 'month': {
      const month = utcMonthOf(day);
      const resetsAtMs = startOfUtcDay(firstDayOfMonth(month + 1));
      return { windowName: `m${firstDayOfMonth(month)}`, resetsAtMs };
    }
    default:
      return { windowName: 'total', resetsAtMs: null };
  }
}

/** Returns the time at which a window begins; `undefined` if it contains all times. */
export function startOfWindow(name: WindowName): number | undefined {
  return name === 'total' ? undefined : startOfUtcDay(Number(name.slice(1)));
}

// Day 0 was a Thursday.
const firstOfWeek = (day: number) => day - ((day + 3) % 7);

/** Age of the first day of a window from which its counters are not needed, in days. */
const oldAfterDays = { d: 40, w: 21, m: 93 } as const;

/** Whether a window ended so long ago that no budget reads it. `total` and windows of a newer release are never old. */
export function isOldWindow(name: string, nowMs: number): boolean {
  const [, kind, first] = /^([dwm])(\d+)$/.exec(name) ?? [];
  return kind !== undefined && Number(first) < utcDayOf(nowMs) - oldAfterDays[kind as 'd' | 'w' | 'm'];
}
