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
 * Makes one line of plain text out of what a language model answered: without a code fence, without marks around the
 * whole, without control characters, at most `maxCodePoints` long (cut after a sentence where there is one, else after
 * a word).
 *
 * @returns an empty text when nothing is left.
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
    // "A" and "B" is no text in quotation marks, but a text that begins and ends with one.
    if (!inside.includes(open) && !inside.includes(close)) return unwrapped(inside.trim());
  }
  return text;
}

function cut(text: string, maxCodePoints: number): string {
  const points = [...text];
  if (points.length <= maxCodePoints) return text;
  const start = points.slice(0, maxCodePoints).join('');
  // One more, so that a sentence or word that ends exactly at the limit counts as whole.
  const beyond = start + points[maxCodePoints];
  const sentenceEnd = Math.max(
    start.lastIndexOf('。'),
    ...['. ', '! ', '? '].map((mark) => beyond.lastIndexOf(mark)),
  );
  if (sentenceEnd > start.length / 3) return start.slice(0, sentenceEnd + 1);
  const wordEnd = beyond.lastIndexOf(' ');
  return (wordEnd > start.length / 2 ? start.slice(0, wordEnd) : start).trim();
}
