import type { ErrorFacts } from './error-facts.ts';

/** Members of error bodies that state a wait, with the unit of a plain number in milliseconds. */
const members: readonly (readonly [string, number])[] = [
  ['retry_after_ms', 1],
  ['retryAfterMs', 1],
  ['retry_after', 1000],
  ['retryAfter', 1000],
  ['retry-after', 1000],
  ['retry_after_seconds', 1000],
  ['retryAfterSeconds', 1000],
  ['retryDelay', 1000],
  ['reset_after', 1000],
];

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const phrase = /\b(?:again|retry|wait)(?: after| in| for)?(?: about| approximately)? (?=[0-9])/i;
/** Maximum length of a duration in a sentence. */
const maxDurationLength = 32;

/** Returns the wait that the body of an error states, in milliseconds; `undefined` if it states none. */
export function statedWaitMs({ parts, messages }: ErrorFacts): number | undefined {
  for (const [member, unit] of members) {
    for (const part of parts) {
      const waitMs = readWait(Reflect.get(part, member), unit);
      if (waitMs !== undefined) return waitMs;
    }
  }
  for (const message of messages) {
    const waitMs = durationMs(durationIn(message));
    if (waitMs !== undefined) return waitMs;
  }
  return undefined;
}

/** Returns the text after a phrase such as `try again in`; empty without one. */
function durationIn(message: string): string {
  const found = phrase.exec(message);
  if (!found) return '';
  const start = found.index + found[0].length;
  return message.slice(start, start + maxDurationLength);
}

function readWait(value: unknown, unit: number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * unit : undefined;
  if (typeof value !== 'string') return undefined;
  return /^[0-9]{1,15}(?:\.[0-9]{1,9})?$/.test(value) ? Number(value) * unit : durationMs(value);
}

/** Reads the duration at the start of a text: `20s`, `6m0s`, `1.5 seconds`, `250 ms`. */
export function durationMs(text: string): number | undefined {
  const pattern = /\s{0,2}([0-9]{1,12}(?:\.[0-9]{1,9})?) ?(ms|millisecond|s|m(?!o)|h|d)[a-z]{0,10}/iy;
  let totalMs: number | undefined;
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const unit = found[2]?.toLowerCase() ?? '';
    totalMs = (totalMs ?? 0) + Number(found[1]) * (unitMs[unit] ?? 1);
  }
  return totalMs === undefined ? undefined : Math.ceil(totalMs);
}
