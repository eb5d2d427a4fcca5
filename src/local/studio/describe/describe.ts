import { createRandom } from '../drawing/random.ts';
import { detectLanguage, type Language } from './language.ts';
import type { Phrasebook } from './phrasebook.ts';
import { chinese, japanese, korean } from './phrases-east-asian.ts';
import { arabic, greek, hebrew, hindi, russian, thai } from './phrases-eastern.ts';
import { english, french, german, portuguese, spanish } from './phrases-western.ts';

const PHRASEBOOKS: Readonly<Record<Language, Phrasebook>> = {
  zh: chinese,
  ja: japanese,
  ko: korean,
  ar: arabic,
  he: hebrew,
  ru: russian,
  el: greek,
  th: thai,
  hi: hindi,
  es: spanish,
  fr: french,
  de: german,
  pt: portuguese,
  en: english,
};

// A private-use character stands for each protected piece while the rest is worked on.
const FIRST_MARK = 0xe000;
const MARK = /[\ue000-\uf8ff]/gu;
const PROTECTED = /\[studio:[^\]]*\]|"[^"\n]+"|“[^”\n]+”|「[^」\n]+」|『[^』\n]+』|«[^»\n]+»|„[^“”\n]+[“”]/gu;
const LONG_SUBJECT = 160;

/**
 * Turns a short request into a detailed description of an image, in the language of the request. Quoted words and
 * `[studio:...]` words are kept exactly. The same request always gives the same description.
 */
export function describeImage(request: string): string {
  const pieces: string[] = [];
  const masked = unwrap(request.replace(MARK, '')).replace(PROTECTED, (piece) => {
    pieces.push(piece);
    return String.fromCharCode(FIRST_MARK + Math.min(pieces.length - 1, 6399));
  });
  const words = masked.replace(MARK, ' ').trim();
  const book = PHRASEBOOKS[detectLanguage(words === '' ? request : words)];
  const quotes = pieces.filter((piece) => !piece.startsWith('[studio:'));
  const text = compose(book, masked.trim(), words, quotes, request);
  return text.replace(MARK, (mark) => pieces[mark.charCodeAt(0) - FIRST_MARK] ?? '');
}

/** Takes off delimiters that enclose the whole message: tags, fences or triple quotes. */
function unwrap(text: string): string {
  const inner =
    /^\s*<([a-z][\w-]*)>\s*([\s\S]*?)\s*<\/\1>\s*$/i.exec(text)?.[2] ??
    /^\s*```\w*\n([\s\S]*?)\n```\s*$/.exec(text)?.[1] ??
    /^\s*"""\s*([\s\S]*?)\s*"""\s*$/.exec(text)?.[1];
  return inner ?? text;
}

function compose(book: Phrasebook, masked: string, words: string, quotes: string[], key: string): string {
  const random = createRandom(`describe|${key}`);
  const drawn = book.drawn.test(words);
  const sentences = [
    opening(book, masked),
    ...(book.person.test(words) ? [random.pick(book.people)] : []),
    random.pick(book.settings),
    random.pick(book.light),
    random.pick(book.composition),
    random.pick(drawn ? book.art : book.photo),
    ...(quotes.length > 0 ? [book.lettering.replace('{q}', () => quotes.join(' '))] : []),
  ];
  return sentences.join(book.joint);
}

function opening(book: Phrasebook, masked: string): string {
  const ended = (text: string) =>
    /[.!?。！？…।]\s*$/u.test(text) ? text.trim() : `${text.trim()}${book.stop}`;
  const { subject, frame } = findSubject(book, masked);
  // A request that is a description already, or of several sentences, is kept as it is and added to.
  const isLong = subject.length > LONG_SUBJECT || /[\n。！？]|[.!?]\s/u.test(subject);
  return ended(isLong ? subject : frame.replace('{s}', () => subject));
}

function findSubject(book: Phrasebook, masked: string): { subject: string; frame: string } {
  const { bare, afterNoun, afterVerb } = book.frames;
  const plain = masked.replace(/[\s.。!！]+$/u, '');
  const clean = (text: string) => text.replace(/^[\s:：,，、]+|[\s.。!！,，、]+$/gu, '');
  const cutTail = (text: string) => (book.tail === null ? text : clean(text.replace(book.tail, '')));
  for (const [pattern, frame] of [
    [book.noun, afterNoun],
    [book.verb, afterVerb],
  ] as const) {
    const rest = clean(plain.replace(pattern, ''));
    if (rest !== clean(plain)) {
      const subject = cutTail(rest);
      return { subject: subject === '' ? plain : subject, frame: subject === '' ? bare : frame };
    }
  }
  const cut = cutTail(plain);
  const isCut = cut !== '' && cut !== plain;
  return { subject: isCut ? cut : plain, frame: isCut ? afterNoun : bare };
}
