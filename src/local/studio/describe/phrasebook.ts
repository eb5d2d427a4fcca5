/**
 * How one language asks for images and describes them. `{s}` stands for the subject. Frames differ by what was
 * cut from the request, because the subject keeps the case it had there: nothing, a verb ("draw a cat"), or a verb
 * and a noun ("make an image of a cat").
 */
export type Phrasebook = {
  /** Whole-phrase patterns at the start: the first group that fits is cut. `verb` is tried after `noun`. */
  noun: RegExp;
  verb: RegExp;
  /** Patterns at the end of the request. */
  tail: RegExp | null;
  frames: { bare: string; afterNoun: string; afterVerb: string };
  /** Words that say the subject is a person. */
  person: RegExp;
  /** Words that ask for something drawn or painted rather than a photograph. */
  drawn: RegExp;
  people: readonly string[];
  settings: readonly string[];
  light: readonly string[];
  composition: readonly string[];
  photo: readonly string[];
  art: readonly string[];
  /** A sentence about words to be seen in the image; `{q}` stands for the quotations. */
  lettering: string;
  /** What joins sentences, and what ends one that lacks a full stop. */
  joint: string;
  stop: string;
};
