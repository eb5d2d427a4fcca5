import { createHash } from 'node:crypto';
import sharp from 'sharp';

/** Creates an image of random pixels, which hardly compresses: 1024x1024 as PNG has 3 MB. */
export async function noiseImage(
  width: number,
  height: number,
  format: 'png' | 'jpeg' | 'webp' = 'png',
): Promise<Buffer> {
  const pixels = Buffer.allocUnsafe(width * height * 3);
  let state = 1;
  for (let at = 0; at < pixels.length; at += 1) {
    // A linear congruential generator (the constants of Numerical Recipes): repeatable, and random enough to be noise.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[at] = state >>> 24;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

/** Creates a mask whose whole area is transparent, that is editable. */
export const clearMask = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toBuffer();

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Splits bytes into chunks of one size. */
export async function* chunked(bytes: Uint8Array, sizeBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes);
}
