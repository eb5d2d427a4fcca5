import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { JsonSchema } from './json-schema.ts';

/** Schema of a query parameter that is a time or a date. */
export const timeQuery = { type: 'string', maxLength: 40 } as const satisfies JsonSchema;

const Time = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/**
 * Returns an RFC 3339 time, or the start of a date in UTC, in milliseconds since 1970.
 *
 * @throws AppError `validation_failed` if the text is neither, or if the calendar has no such time.
 */
export function timeFrom(text: string | undefined, pointer: string): number | undefined {
  if (text === undefined) return undefined;
  const ms = Time.safeParse(text).success ? Date.parse(text) : Number.NaN;
  if (ms >= 0) return ms;
  throw new AppError('validation_failed', {
    detail: 'Send a time such as 2026-11-29T08:00:00Z, or a date such as 2026-11-29.',
    issues: [{ pointer, detail: 'is no time' }],
  });
}
