import { toFile } from 'openai';
import sharp from 'sharp';
import { clearMask } from './images.ts';

export type Rgb = { r: number; g: number; b: number };

/** Creates a PNG of one color. */
export const plainImage = (width: number, height: number, background: Rgb): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();

/** Creates a mask that is transparent, that is editable, in its left half. */
export async function leftHalfMask(width: number, height: number): Promise<Buffer> {
  const half = await plainImage(width - width / 2, height, { r: 0, g: 0, b: 0 });
  return await sharp(await clearMask(width, height))
    .composite([{ input: half, left: width / 2, top: 0 }])
    .png()
    .toBuffer();
}

/** Returns the share of pixels within `distance` of a color, in each channel. */
export async function shareOf(image: Buffer, color: Rgb, distance = 6): Promise<number> {
  const pixels = await sharp(image).removeAlpha().raw().toBuffer();
  const isNear = (at: number) =>
    [color.r, color.g, color.b].every(
      (value, channel) => Math.abs((pixels[at + channel] ?? 0) - value) <= distance,
    );
  let near = 0;
  for (let at = 0; at < pixels.length; at += 3) if (isNear(at)) near += 1;
  return near / (pixels.length / 3);
}

/** Returns the pixels of one part of an image. */
export const partOf = (
  image: Buffer,
  part: { left: number; top: number; width: number; height: number },
): Promise<Buffer> => sharp(image).removeAlpha().extract(part).raw().toBuffer();

/** Returns a file of the official client. */
export const png = (bytes: Buffer, name = 'a.png') => toFile(bytes, name, { type: 'image/png' });

export const RED: Rgb = { r: 200, g: 30, b: 40 };
export const GREEN: Rgb = { r: 20, g: 170, b: 90 };
export const BLUE: Rgb = { r: 30, g: 60, b: 190 };
