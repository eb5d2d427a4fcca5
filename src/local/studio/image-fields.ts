import type { Fault } from './faults.ts';
import type { GenerationRequest } from './generation-request.ts';
import { imageUsage } from './usage.ts';

export const nowSeconds = () => Math.floor(Date.now() / 1000);

/** Returns the base64 of an image, cut in half by the fault `truncated`. */
export function base64(bytes: Buffer, fault: Fault | null): string {
  const text = bytes.toString('base64');
  return fault?.name === 'truncated' ? text.slice(0, Math.floor(text.length / 2)) : text;
}

/** Returns the request parameters that a response repeats. */
export const echo = ({ background, format, quality, width, height }: GenerationRequest) => ({
  background,
  output_format: format,
  quality,
  size: `${width}x${height}`,
});

/** Returns the usage of the images of a request. */
export const usageOf = (
  { prompt, family, width, height, quality, inputTokens }: GenerationRequest,
  images: number,
  partials: number,
) => imageUsage({ prompt, family, width, height, quality, inputTokens, images, partialImages: partials });
