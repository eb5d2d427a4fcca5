/**
 * Checks on caller-given texts and numbers that JSON Schema cannot express.
 */

/** Counts code points, the unit in which prompts are limited (UTF-16 units would count an emoji twice). */
export function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Whether a text has more code points than allowed. One with no more UTF-16 units than that cannot have, and is not counted. */
export function hasMoreCodePoints(text: string, max: number): boolean {
  return text.length > max && countCodePoints(text) > max;
}

/** Whether a text holds anything but spaces, line breaks and characters that only steer how others are shown. */
export function showsSomething(text: string): boolean {
  return /[^\s\p{Cc}\p{Cf}]/u.test(text);
}

/**
 * Says why a text cannot be passed on unchanged, or `null` when it can: a lone surrogate has no UTF-8 form and a
 * NUL is cut or refused by many receivers, so both would silently alter what the caller wrote.
 */
export function textFault(text: string): string | null {
  if (!text.isWellFormed()) return 'holds a lone surrogate, which is not a Unicode character';
  if (text.includes('\u0000')) return 'holds a NUL character (U+0000)';
  return null;
}

/** Says why a number cannot be passed on unchanged, or `null` when it can: beyond 2^53 reading JSON rounds. */
export function numberFault(value: number): string | null {
  return Math.abs(value) > Number.MAX_SAFE_INTEGER
    ? 'is too large to be kept exactly; send it as a string'
    : null;
}
