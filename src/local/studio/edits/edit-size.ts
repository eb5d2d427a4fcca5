import type { ModelFamily } from '../models.ts';
import type { Size } from './layout.ts';

const STEP = 16;
const MIN_PIXELS = 655_360;
const AUTO_PIXELS = 1_048_576;
const MAX_AUTO_PIXELS = 1_572_864;

/**
 * Returns the size of an edit with `size: auto`: the size of the first image if the model can produce it and it is small,
 * otherwise a size of about one megapixel with nearly the same ratio.
 */
export function sizeLike({ width, height }: Size, { freeSizes }: ModelFamily): Size {
  const ratio = Math.min(3, Math.max(1 / 3, width / height));
  if (!freeSizes) {
    if (ratio > 1.2) return { width: 1536, height: 1024 };
    return ratio < 1 / 1.2 ? { width: 1024, height: 1536 } : { width: 1024, height: 1024 };
  }
  const pixels = width * height;
  const isAllowed = width % STEP === 0 && height % STEP === 0 && ratio === width / height;
  if (isAllowed && pixels >= MIN_PIXELS && pixels <= MAX_AUTO_PIXELS) return { width, height };
  const edge = (pixelsOfEdge: number) => Math.round(pixelsOfEdge / STEP) * STEP;
  const long = edge(Math.sqrt(AUTO_PIXELS * Math.max(ratio, 1 / ratio)));
  // Rounded up to the third of the long edge, because the ratio may not exceed 3:1.
  const short = Math.max(edge(AUTO_PIXELS / long), Math.ceil(long / 3 / STEP) * STEP);
  return ratio >= 1 ? { width: long, height: short } : { width: short, height: long };
}
