const fence = /^```[^\n`]*\n([\s\S]*?)\n?```$/;

const wrappings: readonly (readonly [string, string])[] = [
  ['"', '"'],
  ['“', '”'],
  ['„', '“'],
  ['«', '»'],
  ['「', '」'],
  ["'", "'"],
  ['**', '**'],
  ['*', '*'],
];

/**
 * Converts a response of a language model into one line of plain text. Removes a code fence, marks around the whole text and
 * control characters. Cuts a text above `maxCodePoints` after a sentence if possible, otherwise after a word.
 *
 * @returns an empty text if nothing remains.
 */
export function cleanDescription(response: string, maxCodePoints: number): string {
  let text = response.toWellFormed().trim();
  text = (fence.exec(text)?.[1] ?? text).replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return cut(unwrapped(text), maxCodePoints);
}

function unwrapped(text: string): string {
  for (const [open, close] of wrappings) {
    if (text.length < 2 || !text.startsWith(open) || !text.endsWith(close)) continue;
    const inside = text.slice(open.length, -close.length);
    // Inner marks are checked, because `"A" and "B"` begins and ends with a mark but is not quoted as a whole.
    if (!inside.includes(open) && !inside.includes(close)) return unwrapped(inside.trim());
  }
  return text;
}

function cut(text: string, maxCodePoints: number): string {
  const points = [...text];
  if (points.length <= maxCodePoints) return text;
  const start = points.slice(0, maxCodePoints).join('');
  // One more code point, so that a sentence or word that ends exactly at the limit counts as complete.
  const beyond = start + points[maxCodePoints];
  const sentenceEnd = Math.max(
    start.lastIndexOf('。'),
    ...['. ', '! ', '? '].map((mark) => beyond.lastIndexOf(mark)),
  );
  if (sentenceEnd > start.length / 3) return start.slice(0, sentenceEnd + 1);
  const wordEnd = beyond.lastIndexOf(' ');
  return (wordEnd > start.length / 2 ? start.slice(0, wordEnd) : start).trim();
}
