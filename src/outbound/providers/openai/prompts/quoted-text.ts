/** Opening and closing marks. Each pair is searched separately, because the closing mark of one language opens in another. */
const pairs: readonly RegExp[] = [
  // Not after a digit or letter, because a straight mark there means inches or closes a quotation.
  /(?<![0-9A-Za-z])"([^"]+)"/g,
  /“([^“”]+)”/g,
  /„([^„“”"]+)[“”"]/g,
  /「([^「」]+)」/g,
  /『([^『』]+)』/g,
  /‘([^‘’]+)’(?!\p{L})/gu,
  // Only at positions without apostrophes in words, because most straight single marks are apostrophes.
  /(?<=^|[\s([{:,])'([^'\s](?:[^'\n]{0,118}[^'\s])?)'(?=$|[\s)\]}.,;:!?])/g,
];
/** French «marks» point outwards, German and Danish »marks« inwards. The first mark of a text decides the direction. */
const outwardMarks = /«([^«»]+)»/g;
const inwardMarks = /»([^«»]+)«/g;

/**
 * Returns the texts in quotation marks of a prompt, without the marks and without duplicates. Marks around the whole prompt do
 * not count.
 */
export function quotedTexts(prompt: string): string[] {
  const whole = prompt.trim();
  const found = new Set<string>();
  const angled = /[«»]/.exec(prompt)?.[0] === '»' ? inwardMarks : outwardMarks;
  for (const pair of [...pairs, angled]) {
    for (const [all, text] of prompt.matchAll(pair)) {
      const plain = text?.trim();
      if (plain && all !== whole) found.add(plain);
    }
  }
  return [...found];
}

/** Returns the first quoted text of a prompt that a description lost. Returns `null` if it has all texts letter for letter. */
export function lostQuotedText(prompt: string, description: string): string | null {
  const haystack = comparable(description);
  return quotedTexts(prompt).find((text) => !haystack.includes(comparable(text))) ?? null;
}

/** Normalizes letters, white space and quotation marks, so that texts that look the same are equal. */
function comparable(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[‘’‚']/g, "'")
    .replace(/[“”„«»"]/g, '"')
    .replace(/\s+/g, ' ');
}
