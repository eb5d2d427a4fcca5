import { createRandom, type Random } from '../drawing/random.ts';
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

// A private-use character replaces each protected piece while the rest of the text is changed.
const FIRST_MARK = 0xe000;
const MARK = /[\ue000-\uf8ff]/gu;
const PROTECTED = /\[studio:[^\]]*\]|"[^"\n]+"|“[^”\n]+”|「[^」\n]+」|『[^』\n]+』|«[^»\n]+»|„[^“”\n]+[“”]/gu;
const LONG_SUBJECT = 160;

/**
 * Expands a short request to a detailed description of an image, in the language of the request. Quoted words and
 * `[studio:...]` words do not change. The same request always has the same description.
 */
export function describeImage(request: string): string {
  const pieces: string[] = [];
  const masked = unwrap(request.replace(MARK, '')).replace(PROTECTED, (piece) => {
    pieces.push(piece);
    return String.fromCharCode(FIRST_MARK + Math.min(pieces.length - 1, 6399));
  });
  const words = masked.replace(MARK, ' ').trim();
  const phrases = PHRASEBOOKS[detectLanguage(words === '' ? request : words)];
  const quotes = pieces.filter((piece) => !piece.startsWith('[studio:'));
  const random = createRandom(`describe|${request}`);
  const text = compose({ masked: masked.trim(), words, quotes }, phrases, random);
  return text.replace(MARK, (mark) => pieces[mark.charCodeAt(0) - FIRST_MARK] ?? '');
}

/** Removes delimiters that enclose the whole message: tags, fences or triple quotes. */
function unwrap(text: string): string {
  const inner =
    /^\s*<([a-z][\w-]*)>\s*([\s\S]*?)\s*<\/\1>\s*$/i.exec(text)?.[2] ??
    /^\s*```\w*\n([\s\S]*?)\n```\s*$/.exec(text)?.[1] ??
    /^\s*"""\s*([\s\S]*?)\s*"""\s*$/.exec(text)?.[1];
  return inner ?? text;
}

/** The parts of a request: its text with protected pieces masked, without them, and the quotations among them. */
type Request = { masked: string; words: string; quotes: string[] };

function compose({ masked, words, quotes }: Request, phrases: Phrasebook, random: Random): string {
  const drawn = phrases.drawn.test(words);
  const sentences = [
    opening(phrases, masked),
    ...(phrases.person.test(words) ? [random.pick(phrases.people)] : []),
    random.pick(phrases.settings),
    random.pick(phrases.light),
    random.pick(phrases.composition),
    random.pick(drawn ? phrases.art : phrases.photo),
    ...(quotes.length > 0 ? [phrases.lettering.replace('{q}', () => quotes.join(' '))] : []),
  ];
  return sentences.join(phrases.joint);
}

function opening(phrases: Phrasebook, masked: string): string {
  const ended = (text: string) =>
    /[.!?。！？…।]\s*$/u.test(text) ? text.trim() : `${text.trim()}${phrases.stop}`;
  const { subject, frame } = findSubject(phrases, masked);
  // A request that already is a description stays unchanged, because a template would break its sentences.
  const isLong = subject.length > LONG_SUBJECT || /[\n。！？]|[.!?]\s/u.test(subject);
  return ended(isLong ? subject : frame.replace('{s}', () => subject));
}

function findSubject(phrases: Phrasebook, masked: string): { subject: string; frame: string } {
  const { bare, afterNoun, afterVerb } = phrases.frames;
  const plain = masked.replace(/[\s.。!！]+$/u, '');
  const clean = (text: string) => text.replace(/^[\s:：,，、]+|[\s.。!！,，、]+$/gu, '');
  const cutTail = (text: string) => (phrases.tail === null ? text : clean(text.replace(phrases.tail, '')));
  for (const [pattern, frame] of [
    [phrases.noun, afterNoun],
    [phrases.verb, afterVerb],
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
