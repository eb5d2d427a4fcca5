/**
 * The phrases with which one language requests and describes images. `{s}` is the subject. There is a template for each
 * kind of words cut from the request, because they decide the grammatical case of the subject: nothing, a verb ("draw a
 * cat"), or a verb and a noun ("make an image of a cat").
 */
export type Phrasebook = {
  /** Patterns of phrases at the start. The first match is cut; `noun` is tried before `verb`. */
  noun: RegExp;
  verb: RegExp;
  /** Patterns at the end of the request. */
  tail: RegExp | null;
  frames: { bare: string; afterNoun: string; afterVerb: string };
  /** Words for a subject that is a person. */
  person: RegExp;
  /** Words that request a drawing or painting instead of a photograph. */
  drawn: RegExp;
  people: readonly string[];
  settings: readonly string[];
  light: readonly string[];
  composition: readonly string[];
  photo: readonly string[];
  art: readonly string[];
  /** Sentence about words that are visible in the image. `{q}` is the quotations. */
  lettering: string;
  /** Text between sentences. */
  joint: string;
  /** Full stop for a sentence without one. */
  stop: string;
};
