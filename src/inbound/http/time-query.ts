import { AppError } from '../../domain/errors.ts';
import type { JsonSchema } from './json-schema.ts';

/** Schema of a query parameter that is a time or a date. */
export const timeQuery = {
  type: 'string',
  pattern:
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?$',
} as const satisfies JsonSchema;

/**
 * Returns a time, or the start of a date in UTC, in milliseconds since 1970.
 *
 * @throws AppError `validation_failed` if the calendar has no such time.
 */
export function timeFrom(text: string | undefined, pointer: string): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  // `Date.parse` turns the 30th of February into the 1st of March.
  const isReal = !Number.isNaN(ms) && ms >= 0 && Number(text.slice(8, 10)) <= daysOfMonth(text);
  if (isReal) return ms;
  throw new AppError('validation_failed', {
    detail: 'Send a time such as 2026-11-29T08:00:00Z, or a date such as 2026-11-29.',
    issues: [{ pointer, detail: 'is no time' }],
  });
}

function daysOfMonth(text: string): number {
  return new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
}
