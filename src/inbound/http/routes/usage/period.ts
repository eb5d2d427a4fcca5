import { AppError } from '../../../../domain/errors.ts';
import { firstDayOfMonth, startOfUtcDay, utcDayOf, utcMonthOf } from '../../../../domain/utc-day.ts';
import type { JsonSchema } from '../../json-schema.ts';
import { timeFrom, timeQuery } from '../../time-query.ts';

/** Query parameters that name a period. */
export interface PeriodQuery {
  from?: string;
  to?: string;
}

/** Documentation of the parameters. */
export const periodQuery = {
  from: {
    ...timeQuery,
    description:
      'Start, inclusive: an RFC 3339 time, or a date, which begins at 00:00 UTC. Default: the current month.',
    examples: ['2026-11-01'],
  },
  to: {
    ...timeQuery,
    description: 'End, exclusive: an RFC 3339 time or a date. Default: now.',
    examples: ['2026-12-01'],
  },
} as const satisfies Record<string, JsonSchema>;

/** A period in milliseconds. `toMs` is exclusive. */
export interface Period {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Returns the period of a query, by default the current month until now.
 *
 * @throws AppError `validation_failed` for invalid times, an end that is not after its start, and too long a period.
 */
export function periodOf({ from, to }: PeriodQuery, nowMs: number, maxDays: number): Period {
  const fromMs = timeFrom(from, '/query/from') ?? startOfUtcDay(firstDayOfMonth(utcMonthOf(utcDayOf(nowMs))));
  const toMs = timeFrom(to, '/query/to') ?? Math.max(nowMs, fromMs) + 1;
  if (toMs <= fromMs) throw invalid('to', 'must be after from');
  if (toMs - fromMs > startOfUtcDay(maxDays))
    throw invalid('from', `must be at most ${maxDays} days before to`);
  return { fromMs, toMs };
}

function invalid(name: string, detail: string): AppError {
  return new AppError('validation_failed', {
    detail: 'Correct the parameters listed in errors.',
    issues: [{ pointer: `/query/${name}`, detail }],
  });
}
