import { describe, expect, it } from 'vitest';
import { type Passage, passages } from '../../scripts/language/passages.ts';
import {
  countWords,
  discouragedIn,
  forbiddenIn,
  forbiddenOpening,
  maxDiscouragedPerThousand,
} from '../../scripts/language/words.ts';

const all = passages();

function findings(namesIn: (text: string) => readonly string[], from: readonly Passage[]): string[] {
  return from.flatMap(({ kind, path, line, text }) =>
    namesIn(text).map((name) => `${path}:${line} (${kind}): ${name}`),
  );
}

describe('words', () => {
  it('the check of words sees comments, messages, test titles, pages and the API document', () => {
    const words = (kind: Passage['kind']) =>
      all.filter((each) => each.kind === kind).reduce((sum, { text }) => sum + countWords(text), 0);
    expect(words('comment')).toBeGreaterThan(20_000);
    expect(words('message')).toBeGreaterThan(3_000);
    expect(words('title')).toBeGreaterThan(8_000);
    expect(words('page')).toBeGreaterThan(5_000);
    expect(words('openapi')).toBeGreaterThan(1_000);
  });

  it('no text contains a forbidden word of the style guide', () => {
    expect(findings(forbiddenIn, all)).toEqual([]);
  });

  it('no comment opens with a word that the style guide forbids there', () => {
    const comments = all.filter(({ kind }) => kind === 'comment');
    expect(findings((text) => [forbiddenOpening(text) ?? []].flat(), comments)).toEqual([]);
  });

  it('texts contain at most 5 discouraged words per 1,000 words', () => {
    const words = all.reduce((sum, { text }) => sum + countWords(text), 0);
    const found = findings(discouragedIn, all);
    const isTooMany = found.length > (maxDiscouragedPerThousand * words) / 1000;
    expect(isTooMany ? found : []).toEqual([]);
  });
});
