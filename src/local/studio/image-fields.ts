import type { Fault } from './faults.ts';
import type { GenerationRequest } from './generation-request.ts';
import { countTextTokens, imageUsage, type SvgUsage } from './usage.ts';

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

/** Returns the member `svg_usage` of a drawing, nothing for other images. */
export function svgUsageOf(
  { svg, prompt }: GenerationRequest,
  drawing: Buffer | undefined,
): { svg_usage?: SvgUsage } {
  if (svg === null || drawing === undefined) return {};
  const input_tokens = countTextTokens(prompt);
  // Four letters of XML are a token.
  const output_tokens = Math.ceil(drawing.length / 4);
  const total_tokens = input_tokens + output_tokens;
  return { svg_usage: { model: svg.model, input_tokens, output_tokens, reasoning_tokens: 0, total_tokens } };
}
