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
// A piece excludes its own opening character, so that unclosed ones cost linear time.
const PROTECTED = [
  /\[studio:[^[\]]*\]/g,
  /"[^"\n]+"/g,
  /“[^“”\n]+”/g,
  /「[^「」\n]+」/g,
  /『[^『』\n]+』/g,
  /«[^«»\n]+»/g,
  /„[^„“”\n]+[“”]/g,
];
const LONG_SUBJECT = 160;
/** A longer request is a description already. No pattern reads it. */
const MAX_REQUEST = 4_000;

/**
 * Expands a short request to a detailed description of an image, in the language of the request. Quoted words and
 * `[studio:...]` words do not change. The same request always has the same description.
 */
export function describeImage(request: string): string {
  const random = createRandom(`describe|${request}`);
  if (request.length > MAX_REQUEST) {
    const phrases = PHRASEBOOKS[detectLanguage(request.slice(0, MAX_REQUEST))];
    return [request.trim(), random.pick(phrases.settings), random.pick(phrases.light)].join(phrases.joint);
  }
  const pieces: string[] = [];
  const mask = (piece: string) => {
    pieces.push(piece);
    return String.fromCharCode(FIRST_MARK + Math.min(pieces.length - 1, 6399));
  };
  const masked = PROTECTED.reduce(
    (text, pattern) => text.replace(pattern, mask),
    unwrap(request.replace(MARK, '')),
  );
  const words = masked.replace(MARK, ' ').trim();
  const phrases = PHRASEBOOKS[detectLanguage(words === '' ? request : words)];
  const quotes = pieces.filter((piece) => !piece.startsWith('[studio:'));
  const text = compose({ masked: masked.trim(), words, quotes }, phrases, random);
  // A quotation may contain a masked piece.
  const unmask = (part: string): string =>
    part.replace(MARK, (mark) => unmask(pieces[mark.charCodeAt(0) - FIRST_MARK] ?? ''));
  return unmask(text);
}

/** Removes delimiters that enclose the whole message: tags, fences or triple quotes. */
function unwrap(text: string): string {
  const trimmed = text.trim();
  const [tag, name] = /^<([a-z][\w-]{0,30})>/i.exec(trimmed) ?? [];
  const [fence] = /^```\w{0,30}\n/.exec(trimmed) ?? [];
  return (
    between(trimmed, tag, `</${name}>`) ??
    between(trimmed, fence, '\n```') ??
    between(trimmed, '"""', '"""') ??
    text
  );
}

/** Returns the text between two delimiters, or null if the text does not start and end with them. */
function between(text: string, start: string | undefined, end: string): string | null {
  if (start === undefined || text.length < start.length + end.length) return null;
  const isEnclosed = text.startsWith(start) && text.toLowerCase().endsWith(end.toLowerCase());
  return isEnclosed ? text.slice(start.length, -end.length).trim() : null;
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
  // Phrase patterns match single spaces, because runs of `\s+` beside optional words cost polynomial time.
  const plain = trim(masked.replace(/[^\S\n]+/g, ' '), '', ENDS);
  const clean = (text: string) => trim(text, STARTS, CLEAN_ENDS);
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

const SPACE = ' \t\n\r\u00a0\u3000';
const ENDS = `${SPACE}.。!！`;
const STARTS = `${SPACE}:：,，、`;
const CLEAN_ENDS = `${ENDS},，、`;

/** Removes characters of `starts` at the start and of `ends` at the end. */
function trim(text: string, starts: string, ends: string): string {
  let [from, to] = [0, text.length];
  while (from < to && starts.includes(text[from] ?? '')) from++;
  while (to > from && ends.includes(text[to - 1] ?? '')) to--;
  return text.slice(from, to);
}
