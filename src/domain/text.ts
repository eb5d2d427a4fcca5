/** Checks of texts and numbers from callers that JSON Schema cannot express. */

/** Counts code points, the unit of the prompt limit. UTF-16 units would count an emoji twice. */
export function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Whether a text has more code points than allowed. Counts only if the UTF-16 length is above the limit. */
export function hasMoreCodePoints(text: string, max: number): boolean {
  return text.length > max && countCodePoints(text) > max;
}

/** Whether a text holds anything besides spaces, line breaks, and control and format characters. */
export function showsSomething(text: string): boolean {
  return /[^\s\p{Cc}\p{Cf}]/u.test(text);
}

/**
 * Returns why a text cannot be passed on unchanged, or `null` if it can. A lone surrogate has no UTF-8 form, and many
 * programs cut or refuse a text at a NUL, so both would silently alter the caller's text.
 */
export function textFault(text: string): string | null {
  if (!text.isWellFormed()) return 'holds a lone surrogate, which is not a Unicode character';
  if (text.includes('\u0000')) return 'holds a NUL character (U+0000)';
  return null;
}

/** Returns why a number cannot be passed on unchanged, or `null` if it can. Beyond 2^53 reading JSON rounds. */
export function numberFault(value: number): string | null {
  return Math.abs(value) > Number.MAX_SAFE_INTEGER
    ? 'is too large to be represented exactly; send it as a string'
    : null;
}
