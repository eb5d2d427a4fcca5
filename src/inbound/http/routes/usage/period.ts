import { AppError } from '../../../../domain/errors.ts';
import { firstDayOfMonth, startOfUtcDay, utcDayOf, utcMonthOf } from '../../../../domain/utc-day.ts';
import type { JsonSchema } from '../../json-schema.ts';

/** Query parameters that name a period. */
export interface PeriodQuery {
  from?: string;
  to?: string;
}

const pattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/;
const maxLength = 40;

/** Documentation of the parameters. */
export const periodQuery = {
  from: {
    type: 'string',
    maxLength,
    description:
      'Start, inclusive: an RFC 3339 time, or a date, which begins at 00:00 UTC. Default: the current month.',
    examples: ['2026-11-01'],
  },
  to: {
    type: 'string',
    maxLength,
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
  const fromMs = timeOf('from', from) ?? startOfUtcDay(firstDayOfMonth(utcMonthOf(utcDayOf(nowMs))));
  const toMs = timeOf('to', to) ?? Math.max(nowMs, fromMs) + 1;
  if (toMs <= fromMs) throw invalid('to', 'must be after from');
  if (toMs - fromMs > startOfUtcDay(maxDays))
    throw invalid('from', `must be at most ${maxDays} days before to`);
  return { fromMs, toMs };
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = pattern.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw invalid(name, 'must be a time as 2026-11-01T00:00:00Z, or a date as 2026-11-01');
  return ms;
}

function invalid(name: string, detail: string): AppError {
  return new AppError('validation_failed', {
    detail: 'Correct the parameters listed in errors.',
    issues: [{ pointer: `/${name}`, detail }],
  });
}
