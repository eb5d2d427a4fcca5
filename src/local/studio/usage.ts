import type { ModelFamily } from './models.ts';

/** Additional image tokens of one partial image. */
const PARTIAL_IMAGE_TOKENS = 100;

export type ImageUsage = {
  input_tokens: number;
  input_tokens_details: { image_tokens: number; text_tokens: number };
  output_tokens: number;
  output_tokens_details: { image_tokens: number; text_tokens: number };
  total_tokens: number;
};

/** Tokens of the text model that writes a drawing. */
export type SvgUsage = {
  model: string;
  input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  total_tokens: number;
};

/** Estimates tokens: one per four letters of a Latin-like script, or per character of any other. */
export function countTextTokens(text: string): number {
  let quarters = 0;
  for (const character of text) quarters += quartersOf(character);
  return Math.ceil(quarters / 4);
}

const quartersOf = (character: string): number => ((character.codePointAt(0) ?? 0) < 0x250 ? 1 : 4);

/** Returns the beginning of a text that has at most a number of tokens. */
export function firstTokens(text: string, maxTokens: number): string {
  let quarters = 0;
  let length = 0;
  for (const character of text) {
    quarters += quartersOf(character);
    if (quarters > maxTokens * 4) return text.slice(0, length);
    length += character.length;
  }
  return text;
}

type UsageInput = {
  prompt: string;
  family: ModelFamily;
  width: number;
  height: number;
  quality: string;
  /** Image tokens of the inputs of an edit. */
  inputTokens: number;
  images: number;
  partialImages: number;
};

/** Returns the usage that one call reports. The prompt and the inputs count once, independent of the number of images. */
export function imageUsage(input: UsageInput): ImageUsage {
  const textTokens = countTextTokens(input.prompt);
  const perImage = input.family.outputTokens(input.width, input.height, input.quality);
  const imageTokens = input.images * (perImage + input.partialImages * PARTIAL_IMAGE_TOKENS);
  return {
    input_tokens: textTokens + input.inputTokens,
    input_tokens_details: { image_tokens: input.inputTokens, text_tokens: textTokens },
    output_tokens: imageTokens,
    output_tokens_details: { image_tokens: imageTokens, text_tokens: 0 },
    total_tokens: textTokens + input.inputTokens + imageTokens,
  };
}
