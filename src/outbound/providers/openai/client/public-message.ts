const maxCodePoints = 300;

/**
 * Patterns of secrets: `sk-...` and similar keys, bearer tokens, and ids of the account. `longWord` finds other long words
 * that may be secrets.
 */
const secretPatterns = [
  /\b(?:sk|pk|rk|sess|key)[-_][A-Za-z0-9_*.-]{5,}[A-Za-z0-9_*-]/g,
  /\bBearer\s+[^\s"',;]+/gi,
  /\b(?:org-|proj_)[A-Za-z0-9]{12,}\b/g,
];
const longWord = /[A-Za-z0-9_-]{32,}(?:[.+/=][A-Za-z0-9_-]+)*/g;

/**
 * Converts a provider's error text into a message for callers: one line of at most 300 code points, without anything that
 * looks like a key.
 *
 * @returns `null` if the text is absent, empty or a web page.
 */
export function publicMessage(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  // Cut first, because the following steps must not process a megabyte.
  let line = text
    .slice(0, 4 * maxCodePoints)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    // Characters without a width can turn the direction of a line or hide in it.
    .replace(/\p{Cf}/gu, '')
    .trim();
  if (line === '' || line.startsWith('<')) return null;
  for (const pattern of secretPatterns) line = line.replace(pattern, '[redacted]');
  line = line.replace(longWord, (word) => (/[0-9]/.test(word) ? '[redacted]' : word));
  return shorten(line.toWellFormed());
}

function shorten(line: string): string {
  const points = [...line];
  return points.length <= maxCodePoints ? line : `${points.slice(0, maxCodePoints - 1).join('')}…`;
}
