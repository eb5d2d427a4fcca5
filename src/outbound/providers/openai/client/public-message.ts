const maxCodePoints = 300;

/** `sk-...` and relatives, bearer tokens, and any other long run of letters and digits that could be a secret. */
const secretPatterns = [/\b(?:sk|pk|rk|sess|key)[-_][A-Za-z0-9_*-]{6,}/g, /\bBearer\s+[^\s"',;]+/gi];
const longWord = /[A-Za-z0-9_-]{32,}/g;

/**
 * Makes a provider's error text fit to be shown to a caller: on one line, at most 300 code points, nothing in it that
 * looks like a key.
 *
 * @returns `null` when there is no text, or a web page instead of one.
 */
export function publicMessage(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  // Cut first: what follows must not have to work on a megabyte.
  let line = text
    .slice(0, 4 * maxCodePoints)
    .replace(/[\s\p{Cc}]+/gu, ' ')
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
