import type { ImageRequest } from './image-request.ts';
import type { JobInput } from './input-image.ts';

/** The tokens that one call for an image used, as its provider reported them. */
export interface TokenSample {
  /** Output tokens, previews included. */
  readonly output: number;
  /** Tokens of the input images. */
  readonly inputImages: number;
  /** Text tokens, as a multiple of the expected number for the text that was sent. */
  readonly textFactor: number;
  /** Cost in micro-USD of the host model, if one ran the image tool. */
  readonly hostMicroUsd: number;
}

/** Figures of the last images of one kind. Each figure is taken over the images separately. */
export interface TokenSamples {
  readonly median: TokenSample;
  readonly max: TokenSample;
}

/** Returns the figures of a kind of image; `undefined` if none was generated. */
export type FindSamples = (kind: string) => TokenSamples | undefined;

/**
 * Maximum number of tokens of an image, of its input and of its host model. A report with more is an error of the provider.
 * As a sample it would raise the bounds until budgets refuse the images that have to replace it.
 */
export const maxSampleTokens = 100_000;

/** Number of images whose tokens are remembered for each kind. */
export const maxSamples = 200;

/**
 * Names the kind of an image: everything that decides its number of tokens. The prompt is no part of it, because its tokens
 * can be counted.
 *
 * @param model the model's id, which is the same for all aliases.
 */
export function sampleKind(
  model: string,
  { quality, size, complexity, partial_images, input_fidelity, provider_options }: ImageRequest,
  inputs: readonly Pick<JobInput, 'role'>[],
): string {
  let kind = `model=${model} quality=${quality ?? 'auto'} size=${size}`;
  if (inputs.length > 0) {
    const images = inputs.filter(({ role }) => role === 'image').length;
    kind += ` inputs=${images}+${inputs.length - images}`;
  }
  // Absent fields keep the names of most kinds short.
  if (complexity !== undefined) kind += ` complexity=${complexity}`;
  if (partial_images) kind += ` previews=${partial_images}`;
  if (input_fidelity !== undefined) kind += ` fidelity=${input_fidelity}`;
  const options = namesOfOptions(provider_options);
  if (options !== '') kind += ` options=${options}`;
  return kind;
}

/** Maximum length of the names in a kind. Requests whose names are longer may share one. */
const maxNames = 200;

/**
 * Returns the names of the provider's options of a request. The effect of such an option is unknown, so it must not raise the
 * bounds of requests without it, which may be those of another tenant. The end user has no effect.
 */
const namesOfOptions = (options: ImageRequest['provider_options']): string =>
  Object.keys(options ?? {})
    .filter((name) => name !== 'user')
    .toSorted()
    .join(',')
    .slice(0, maxNames);
