/**
 * Conversion of tokens to money. All amounts are integers in micro-USD. An unknown amount is `null`, never 0.
 */

/** Upper bounds of the cost of one call, in micro-USD. They are fixed when the job is accepted. */
export interface CallBounds {
  /** One call for an image. */
  readonly image: number;
  /** The call that expands the prompt; absent if none was requested. */
  readonly enhance?: number;
}

/** Prices in USD per million tokens, which is the same number as micro-USD per token. */
export interface TokenPrices {
  readonly text_in: number;
  readonly text_in_cached?: number | undefined;
  readonly image_in: number;
  readonly image_in_cached?: number | undefined;
  readonly image_out: number;
  readonly text_out?: number | undefined;
}

/** Token counts that the provider reports. The `details` are often missing in real responses. */
export interface TokenUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
  readonly input_tokens_details?: { text_tokens?: number; image_tokens?: number; cached_tokens?: number };
  readonly output_tokens_details?: { text_tokens?: number; image_tokens?: number };
  /** Cached input tokens by kind, which the Responses API reports for its image tool. */
  readonly cached_tokens_details?: { cached_text_tokens?: number; cached_image_tokens?: number };
}

/**
 * Returns the cost of a finished call, computed from the provider's reported usage.
 *
 * Tokens that the details do not explain have the dearer price, because a cheaper one would understate real invoices. An
 * image model produces image tokens. The input of an edit is text or image, and that of a generation is text only.
 *
 * @param call.hasImages whether images were sent, so that unexplained input tokens may be those of an image.
 * @returns micro-USD, or `null` if the usage or the prices are unknown.
 */
export function costOfUsage(
  usage: TokenUsage | null | undefined,
  prices: TokenPrices | null,
  { hasImages }: { readonly hasImages: boolean },
): number | null {
  if (!usage || !prices) return null;
  const imageIn = usage.input_tokens_details?.image_tokens ?? 0;
  const { cached_text_tokens: cachedTexts, cached_image_tokens: cachedImages = 0 } =
    usage.cached_tokens_details ?? {};
  const restIn = Math.max(0, usage.input_tokens - imageIn);
  const textIn = hasImages ? Math.min(restIn, usage.input_tokens_details?.text_tokens ?? 0) : restIn;
  const unexplainedIn = restIn - textIn;
  const cachedText = Math.min(cachedTexts ?? usage.input_tokens_details?.cached_tokens ?? 0, textIn);
  const cachedImage = Math.min(cachedImages, imageIn);
  const textOut = prices.text_out === undefined ? 0 : (usage.output_tokens_details?.text_tokens ?? 0);
  const imageOut = Math.max(0, usage.output_tokens - textOut);
  return Math.round(
    (textIn - cachedText) * prices.text_in +
      cachedText * (prices.text_in_cached ?? prices.text_in) +
      (imageIn - cachedImage) * prices.image_in +
      cachedImage * (prices.image_in_cached ?? prices.image_in) +
      unexplainedIn * Math.max(prices.text_in, prices.image_in) +
      imageOut * prices.image_out +
      textOut * (prices.text_out ?? 0),
  );
}

/**
 * Returns the number of output tokens of one image, by the formula published for gpt-image-2 and 2.5
 * (community.openai.com topic 1382699): `s = floor((2fS + L) / 2L)`, `ceil(f * s * (2,000,000 + w*h) / 4,000,000)`
 * with `L` the longer and `S` the shorter edge.
 *
 * @param factor the quality's factor `f` from the catalogue.
 */
export function outputTokens(factor: number, width: number, height: number): number {
  const longer = Math.max(width, height);
  const shorter = Math.min(width, height);
  const s = Math.floor((2 * factor * shorter + longer) / (2 * longer));
  return Math.ceil((factor * s * (2_000_000 + width * height)) / 4_000_000);
}

const patchEdge = 32;
/** Maximum number of tokens of one input image. */
export const maxInputTokens = 1_536;
const smallEdge = 1_024;
const maxCanvasRatio = 3;

/**
 * Returns the number of input tokens of one image, by a formula derived from invoices of gpt-image-2
 * (community.openai.com topic 1382940). A small image is enlarged up to twofold towards 1,024 pixels, and a narrow canvas is
 * widened to 1:3. Then every patch of 32 x 32 pixels is a token, within a budget. It is unconfirmed for later models.
 */
export function inputTokens(width: number, height: number): number {
  const longer = Math.max(width, height);
  const shorter = Math.max(Math.min(width, height), longer / maxCanvasRatio);
  const scale = longer < smallEdge ? Math.min(2, smallEdge / longer) : 1;
  const patches = Math.ceil((longer * scale) / patchEdge) * Math.ceil((shorter * scale) / patchEdge);
  return Math.min(patches, maxInputTokens);
}

/** Estimates the tokens of a prompt: one token per four Latin letters, or per character of most other scripts. */
export function promptTokens(prompt: string): number {
  let wide = 0;
  let narrow = 0;
  for (const character of prompt) {
    if ((character.codePointAt(0) ?? 0) > 0x2ff) wide += 1;
    else narrow += 1;
  }
  return wide + Math.ceil(narrow / 4);
}

/** Tokens that providers charge besides those of the text. */
export const textOverheadTokens = 6;

/**
 * Returns the maximum number of tokens of a text: one per two Latin letters or spaces, per other character of most Latin
 * texts, two per character of other scripts, and four per character beyond the basic plane, such as an emoji.
 */
export function maxTextTokens(text: string): number {
  let halves = 2 * textOverheadTokens;
  for (const character of text) halves += halfTokensOf(character.codePointAt(0) ?? 0);
  return Math.ceil(halves / 2);
}

function halfTokensOf(codePoint: number): number {
  const letter = codePoint | 0x20;
  if ((letter >= 0x61 && letter <= 0x7a) || codePoint === 0x20) return 1;
  if (codePoint <= 0x2ff) return 2;
  return codePoint <= 0xffff ? 4 : 8;
}

/** Returns the sum of amounts; `null` if any amount is unknown. */
export function sumCosts(amounts: readonly (number | null)[]): number | null {
  let total = 0;
  for (const amount of amounts) {
    if (amount === null) return null;
    total += amount;
  }
  return total;
}

/** Returns the cost of a text call, in micro-USD; `null` if the usage or the prices are unknown. */
export function costOfText(
  usage: Pick<TokenUsage, 'input_tokens' | 'output_tokens'> | null,
  prices: { text_in: number; text_out: number } | null,
): number | null {
  if (!usage || !prices) return null;
  return Math.round(usage.input_tokens * prices.text_in + usage.output_tokens * prices.text_out);
}
