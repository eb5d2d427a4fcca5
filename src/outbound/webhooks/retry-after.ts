const longestMs = Number.MAX_SAFE_INTEGER;

/**
 * Reads a `Retry-After` header: seconds, or a date in any of the three formats that RFC 9110 allows (sections 5.6.7 and
 * 10.2.3).
 *
 * @returns milliseconds from `nowMs`, 0 for a past date, `undefined` if the header is invalid. The value has no maximum:
 *   the caller that schedules the next attempt limits it.
 */
export function retryAfterMs(value: string | string[] | undefined, nowMs: number): number | undefined {
  const text = (Array.isArray(value) ? value[0] : value)?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, longestMs);
  if (!/^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d/.test(text)) return undefined;
  const atMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
