/** Function that returns a header, or `null` if it is absent. */
export type ReadHeader = (name: string) => string | null;

/**
 * Returns the wait that a response requests, in milliseconds. The first usable source wins:
 *
 * 1. `retry-after-ms`
 * 2. `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3)
 * 3. the longest `x-ratelimit-reset-*` (OpenAI) of the exhausted limits
 * 4. the longest `x-ratelimit-reset-*` of the limits that do not report a remaining amount
 *
 * A date is compared with the `Date` header if that is present, so a wrong clock on either side does no harm.
 *
 * @returns `undefined` if no source is usable.
 */
export function retryAfterMs(header: ReadHeader, nowMs: number): number | undefined {
  return (
    plainNumber(header('retry-after-ms'), 1) ??
    plainNumber(header('retry-after'), 1000) ??
    untilDate(header('retry-after'), header('date'), nowMs) ??
    untilReset(header)
  );
}

function plainNumber(text: string | null, unitMs: number): number | undefined {
  if (text === null || !/^\s*[0-9]{1,12}(\.[0-9]{1,9})?\s*$/.test(text)) return undefined;
  return Math.ceil(Number(text) * unitMs);
}

function untilDate(text: string | null, serverDate: string | null, nowMs: number): number | undefined {
  // A text without a letter is an invalid number, because an HTTP date names a weekday and a month.
  if (text === null || !/[A-Za-z]/.test(text)) return undefined;
  const due = Date.parse(text);
  if (Number.isNaN(due)) return undefined;
  const serverNow = Date.parse(serverDate ?? '');
  return Math.max(0, due - (Number.isNaN(serverNow) ? nowMs : serverNow));
}

function untilReset(header: ReadHeader): number | undefined {
  const limits = ['requests', 'tokens', 'images'].map((name) => ({
    remaining: header(`x-ratelimit-remaining-${name}`),
    resetMs: durationMs(header(`x-ratelimit-reset-${name}`)),
  }));
  const known = limits.filter((limit) => limit.resetMs !== undefined);
  const usedUp = known.filter((limit) => limit.remaining !== null && Number(limit.remaining) === 0);
  // Limits with a remaining amount are ignored, because they did not refuse the call and may take a day to reset.
  const unsaid = known.filter((limit) => limit.remaining === null);
  const waits = (usedUp.length > 0 ? usedUp : unsaid).map((limit) => limit.resetMs ?? 0);
  return waits.length > 0 ? Math.max(...waits) : undefined;
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses a duration in the format of OpenAI: `20ms`, `1s`, `6m0s`, `1h2m3.5s`. */
function durationMs(text: string | null): number | undefined {
  if (text === null || !/^(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|s|m|h|d)){1,5}$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]{1,19})(ms|s|m|h|d)/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return Math.ceil(total);
}
