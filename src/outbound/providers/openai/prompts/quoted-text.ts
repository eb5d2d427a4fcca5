/** Opening and closing marks. The closing mark of one language opens in another, so each pair is searched on its own. */
const pairs: readonly RegExp[] = [
  // After a digit or letter a straight mark opens nothing: it stands for inches, or closes.
  /(?<![0-9A-Za-z])"([^"]+)"/g,
  /“([^“”]+)”/g,
  /„([^„“”"]+)[“”"]/g,
  /「([^「」]+)」/g,
  /『([^『』]+)』/g,
  /‘([^‘’]+)’(?!\p{L})/gu,
  // Straight single marks are apostrophes far more often: only where a word cannot have one.
  /(?<=^|[\s([{:,])'([^'\s](?:[^'\n]{0,118}[^'\s])?)'(?=$|[\s)\]}.,;:!?])/g,
];
/** French «marks» point outwards, German and Danish »marks« inwards; the first one in a text tells which. */
const outwardMarks = /«([^«»]+)»/g;
const inwardMarks = /»([^«»]+)«/g;

/**
 * Texts that a prompt puts into quotation marks, without the marks and without repetition. Marks around the whole
 * prompt quote nothing.
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

/** The first quoted text of a prompt that a description lost; `null` when all are there, letter for letter. */
export function lostQuotedText(prompt: string, description: string): string | null {
  const haystack = comparable(description);
  return quotedTexts(prompt).find((text) => !haystack.includes(comparable(text))) ?? null;
}

/** Texts that look the same compare as the same: composed letters, any white space, any form of the marks inside. */
function comparable(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[‘’‚']/g, "'")
    .replace(/[“”„«»"]/g, '"')
    .replace(/\s+/g, ' ');
}
