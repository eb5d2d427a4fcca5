import type { Size } from './layout.ts';

/** Longest edge to which small images are enlarged, at most twofold. */
const ENLARGED_EDGE = 1024;
const PATCH_EDGE = 32;
const MAX_PATCHES = 1_536;

/**
 * Returns the tokens of one input image, by the rule that users measured for gpt-image-2: the image is enlarged up to
 * twofold toward 1,024 pixels, its ratio is capped at 3:1, and each patch of 32x32 pixels is a token, at most 1,536.
 */
export function inputTokens({ width, height }: Size): number {
  const scale = Math.min(2, Math.max(1, ENLARGED_EDGE / Math.max(width, height)));
  const [w, h] = [width * scale, height * scale];
  const patches = (edge: number, other: number) => Math.ceil(Math.max(edge, other / 3) / PATCH_EDGE);
  return Math.min(MAX_PATCHES, patches(w, h) * patches(h, w));
}
