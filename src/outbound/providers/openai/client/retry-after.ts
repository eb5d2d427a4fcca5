import { durationMs } from './stated-wait.ts';

/** Function that returns a header, or `null` if it is absent. */
export type ReadHeader = (name: string) => string | null;

/**
 * Returns the wait that the headers of a response request, in milliseconds. The first usable source wins:
 *
 * 1. `retry-after-ms`, or Azure's `x-ms-retry-after-ms`
 * 2. `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3), with a unit, or repeated, or `x-retry-after`
 * 3. the longest `x-ratelimit-reset-*` (OpenAI) of the exhausted limits
 * 4. the longest `x-ratelimit-reset-*` of the limits that do not report a remaining amount
 * 5. the longest time of the exhausted limits in `RateLimit` (draft-ietf-httpapi-ratelimit-headers)
 * 6. `ratelimit-reset` or `x-ratelimit-reset`: seconds, or the time as a Unix time in seconds or milliseconds
 *
 * A date is compared with the `Date` header if that is present, so a wrong clock on either side does no harm.
 *
 * @returns `undefined` if no source is usable.
 */
export function retryAfterMs(header: ReadHeader, nowMs: number): number | undefined {
  return (
    plainNumber(header('retry-after-ms') ?? header('x-ms-retry-after-ms'), 1) ??
    longestOf(header('retry-after')) ??
    untilDate(header('retry-after'), header('date'), nowMs) ??
    plainNumber(header('x-retry-after'), 1000) ??
    untilReset(header) ??
    untilQuota(header('ratelimit')) ??
    untilTime(header('ratelimit-reset') ?? header('x-ratelimit-reset'), nowMs)
  );
}

/** Reads seconds or a Unix time. A number of seconds above a year is a time. */
function untilTime(text: string | null, nowMs: number): number | undefined {
  const seconds = plainNumber(text, 1);
  if (seconds === undefined || seconds < 366 * 86_400)
    return seconds === undefined ? undefined : seconds * 1000;
  const timeMs = seconds > 1e11 ? seconds : seconds * 1000;
  return Math.max(0, timeMs - nowMs);
}

function plainNumber(text: string | null, unitMs: number): number | undefined {
  if (text === null || !/^\s*[0-9]{1,15}(\.[0-9]{1,9})?\s*$/.test(text)) return undefined;
  return Math.ceil(Number(text) * unitMs);
}

/** Reads seconds or durations. A proxy that adds a header of its own makes a list of it. */
function longestOf(text: string | null): number | undefined {
  const waits = (text ?? '').split(',', 5).map((each) => secondsOrDuration(each.trim()));
  return waits.every((wait) => wait !== undefined) ? Math.max(...waits) : undefined;
}

const secondsOrDuration = (text: string | null): number | undefined =>
  plainNumber(text, 1000) ?? wholeDurationMs(text);

/** Reads the longest `t` of the items with `r=0`. */
function untilQuota(text: string | null): number | undefined {
  const usedUp = (text ?? '').split(',', 10).filter((item) => /;\s?r=0(?![0-9])/.test(item));
  const waits = usedUp.flatMap((item) => /;\s?t=([0-9]{1,9})/.exec(item)?.[1] ?? []);
  return waits.length > 0 ? Math.max(...waits.map(Number)) * 1000 : undefined;
}

function untilDate(text: string | null, serverDate: string | null, nowMs: number): number | undefined {
  // A text without a letter is an invalid number, because an HTTP date names a weekday and a month.
  if (text === null || !/[A-Za-z]/.test(text)) return undefined;
  const due = parseDate(text);
  if (Number.isNaN(due)) return undefined;
  const serverNow = parseDate(serverDate ?? '');
  return Math.max(0, due - (Number.isNaN(serverNow) ? nowMs : serverNow));
}

/** Reads a date. One without a zone is UTC, such as `Mon Nov 23 12:00:30 2026` (RFC 9110, section 5.6.7). */
function parseDate(text: string): number {
  const hasZone = /[A-Za-z]\s*$|:[0-9]{2}\s?[+-][0-9]{2}:?[0-9]{2}\s*$/.test(text);
  return Date.parse(hasZone ? text : `${text.trim()}Z`);
}

function untilReset(header: ReadHeader): number | undefined {
  const limits = ['requests', 'tokens', 'images'].map((name) => ({
    remaining: header(`x-ratelimit-remaining-${name}`),
    resetMs: secondsOrDuration(header(`x-ratelimit-reset-${name}`)),
  }));
  const known = limits.filter((limit) => limit.resetMs !== undefined);
  const usedUp = known.filter((limit) => limit.remaining !== null && Number(limit.remaining) <= 0);
  // Limits with a remaining amount are ignored, because they did not refuse the call and may take a day to reset.
  const unsaid = known.filter((limit) => limit.remaining === null);
  const waits = (usedUp.length > 0 ? usedUp : unsaid).map((limit) => limit.resetMs ?? 0);
  return waits.length > 0 ? Math.max(...waits) : undefined;
}

/** Parses a duration in the format of OpenAI, `20ms`, `1s`, `6m0s`, `1h2m3.5s`, or one unit in words, `60 seconds`. */
function wholeDurationMs(text: string | null): number | undefined {
  const isDuration =
    text !== null &&
    /^(?:(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|s|m|h|d)){1,5}|[0-9]{1,9} (?:second|minute|hour)s?)$/.test(text);
  return isDuration ? durationMs(text) : undefined;
}
