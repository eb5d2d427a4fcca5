/**
 * Counts the words of the style guide in comments, messages, test titles, pages and the API document.
 * Exits with 1 if a forbidden word or comment opening occurs, or too many discouraged words.
 *
 *   node --import tsx scripts/count-words.ts              # the figures
 *   node --import tsx scripts/count-words.ts src/domain   # the figures and findings of a folder or file
 */
import { type Passage, passages } from './language/passages.ts';
import {
  countWord,
  countWords,
  discouragedIn,
  forbiddenIn,
  forbiddenOpening,
  maxDiscouragedPerThousand,
  observedWords,
} from './language/words.ts';

const [folder] = process.argv.slice(2);
const selected = passages().filter(({ path }) => folder === undefined || path.startsWith(folder));

function findings(passage: Passage, names: readonly string[]): string[] {
  return names.map((name) => `${passage.path}:${passage.line} (${passage.kind}): ${name}`);
}

const forbidden = selected.flatMap((passage) => findings(passage, forbiddenIn(passage.text)));
const discouraged = selected.flatMap((passage) => findings(passage, discouragedIn(passage.text)));
const openings = selected
  .filter(({ kind }) => kind === 'comment')
  .flatMap((passage) => findings(passage, [forbiddenOpening(passage.text) ?? []].flat()));

function row(name: string, part: readonly Passage[]): Record<string, string | number> {
  const words = part.reduce((sum, { text }) => sum + countWords(text), 0);
  const perThousand = (count: number) => ((1000 * count) / Math.max(words, 1)).toFixed(1);
  const sum = (count: (text: string) => number) => part.reduce((total, { text }) => total + count(text), 0);
  return {
    texts: name,
    words,
    forbidden: sum((text) => forbiddenIn(text).length),
    'discouraged/1000': perThousand(sum((text) => discouragedIn(text).length)),
    ...Object.fromEntries(
      observedWords.map((word) => [`${word}/1000`, perThousand(sum((text) => countWord(text, word)))]),
    ),
  };
}

const kinds = [...new Set(selected.map(({ kind }) => kind))];
console.table([
  ...kinds.map((kind) =>
    row(
      kind,
      selected.filter((passage) => passage.kind === kind),
    ),
  ),
  row('all', selected),
]);
console.log(`forbidden comment openings: ${openings.length}`);
if (folder !== undefined) console.log([...forbidden, ...discouraged, ...openings].join('\n'));

const words = selected.reduce((sum, { text }) => sum + countWords(text), 0);
const tooMany = discouraged.length > (maxDiscouragedPerThousand * words) / 1000;
if (forbidden.length > 0 || openings.length > 0 || tooMany) process.exitCode = 1;
