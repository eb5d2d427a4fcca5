/** Opening and closing marks. The closing mark of one language opens in another, so each pair is searched on its own. */
const pairs: readonly RegExp[] = [
  /"([^"]+)"/g,
  /“([^“”]+)”/g,
  /„([^„“”"]+)[“”"]/g,
  /«([^«»]+)»/g,
  /»([^«»]+)«/g,
  /「([^「」]+)」/g,
  /『([^『』]+)』/g,
  /‘([^‘’]+)’(?!\p{L})/gu,
  // Straight single marks are apostrophes far more often: only where a word cannot have one.
  /(?<=^|[\s([{:,])'([^'\s](?:[^'\n]{0,118}[^'\s])?)'(?=$|[\s)\]}.,;:!?])/g,
];

/** Texts that a prompt puts into quotation marks, without the marks and without repetition. */
export function quotedTexts(prompt: string): string[] {
  const found = new Set<string>();
  for (const pair of pairs) {
    for (const [, text] of prompt.matchAll(pair)) {
      const plain = text?.trim();
      if (plain) found.add(plain);
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
