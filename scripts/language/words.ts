/** Word lists of the style guide in CONTRIBUTING.md, as patterns. */

interface WordRule {
  readonly name: string;
  readonly pattern: RegExp;
}

function rule(name: string, pattern: RegExp): WordRule {
  return { name, pattern };
}

/** Words that may not occur in any text. */
const forbidden: readonly WordRule[] = [
  rule('told', /\btold\b/gi),
  rule('whoever', /\bwhoever\b/gi),
  rule('somebody', /\bsomebody\b/gi),
  rule('nobody', /\bnobody\b/gi),
  rule('patience', /\bpatience\b|\bpatiently\b/gi),
  rule('all the same', /\ball the same\b/gi),
  rule('mailbox', /\bmailbox(es)?\b/gi),
  rule('picture', /\bpictur(e|es|ed|ing)\b/gi),
  rule('handed in', /(?<!by )\bhand(s|ed|ing)? in\b/gi),
  rule('taken up', /\b(taken?|takes|took|taking) up\b(?! to\b)/gi),
  rule('as it takes', /\bas it takes\b/gi),
  rule('for ever', /\bfor ever\b/gi),
  rule('becomes of', /\bbecomes? of\b/gi),
  // A sort order and a customer's order are fine.
  rule(
    'order for a request',
    /\b(an|each|every|per|accepted|repeated|submitted|abandoned|such an|the caller's) orders?\b(?! (number|id|of))/gi,
  ),
  rule('order for a request', /\border(s|ed|ing)? (an? |the |\d+ )?(images?|jobs?|again|twice)\b/gi),
];

/** Words of which all texts together may contain a few. */
const discouraged: readonly WordRule[] = [
  rule('answer', /\banswer(s|ed|ing)?\b/gi),
  rule('tell', /\btell(s|ing)?\b/gi),
  rule('trouble', /\btroubles?\b/gi),
  rule('wish', /\bwish(es|ed)?\b/gi),
  rule('hear', /\bhear(s|d|ing)?\b/gi),
  rule('go on', /\b(go|goes|going|went|gone) on\b/gi),
  rule('stand in', /\b(stands?|stood|standing) in\b/gi),
  rule('is away', /\b(is|are|was|were) away\b/gi),
  rule('meanwhile', /\bmeanwhile\b/gi),
  rule('by itself', /\bby (itself|themselves)\b/gi),
  rule('ask', /\bask(s|ed|ing)?\b/gi),
  rule(
    'give back',
    /\b(gives?|gave|given|giving|takes?|took|taken|taking|hands?|handed|handing) (it |them )?back\b/gi,
  ),
  rule('kept', /\bkept\b/gi),
  rule('place', /\bplaces?\b/gi),
  rule('gate', /\bgates?\b/gi),
  rule('rests', /\brests\b/gi),
  rule('suspect', /\bsuspect(s|ed)?\b/gi),
  rule('wake', /\b(wakes?|woken|woke|waking)\b/gi),
  rule('receiver', /\breceivers?\b/gi),
  rule('mail', /\bmails?\b/gi),
  rule('desk', /\bdesks?\b/gi),
  rule('books', /\bbooks\b/gi),
  rule('room', /\brooms?\b/gi),
  rule('door', /\bdoors?\b/gi),
  rule('house', /\bhouses?\b/gi),
  rule('law', /\blaws?\b/gi),
  rule('carrier', /\bcarriers?\b/gi),
  rule('what is', /\bwhat is\b/gi),
  rule('one that', /\bone that\b/gi),
  rule('execution', /\bexecutions?\b/gi),
  rule('examination', /\bexaminations?\b/gi),
  rule('forget', /\b(forgets?|forgot|forgotten|forgetting)\b/gi),
  rule('ahead', /\bahead\b/gi),
  rule('under way', /\bunder way\b/gi),
];

/** Most discouraged words per 1,000 words. */
export const maxDiscouragedPerThousand = 5;

/** Words whose frequency shows how close the texts are to those of well-known projects. Not enforced. */
export const observedWords: readonly string[] = ['if', 'what', 'one', 'it', 'where'];

/** Returns the number of words of a text. */
export function countWords(text: string): number {
  return text.match(/[A-Za-z][\w'’-]*/g)?.length ?? 0;
}

/** Returns how often a word occurs in a text, in any case. */
export function countWord(text: string, word: string): number {
  return text.match(new RegExp(`\\b${word}\\b`, 'gi'))?.length ?? 0;
}

/** Returns every forbidden word of a text, by its name in the style guide. */
export function forbiddenIn(text: string): string[] {
  return namesOf(forbidden, text);
}

/** Returns every discouraged word of a text, by its name in the style guide. */
export function discouragedIn(text: string): string[] {
  return namesOf(discouraged, text);
}

/** Returns the first word of a comment if the style guide forbids it there, or the first word of one of its sentences. */
export function forbiddenOpening(comment: string): string | undefined {
  const opening = /^\s*(Of|Who|What|As|Also|Nor|Whoever)\b/.exec(comment)?.[1];
  if (opening !== undefined) return opening;
  return /[.!?:;]\s+What\b/.test(comment) ? 'What' : undefined;
}

function namesOf(rules: readonly WordRule[], text: string): string[] {
  return rules.flatMap(({ name, pattern }) => Array.from(text.matchAll(pattern), () => name));
}
