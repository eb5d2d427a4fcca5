import sharp from 'sharp';
import type { EditInputs, Input } from './decode-inputs.ts';
import type { Box, Size } from './layout.ts';

/** The part of an image that an edit changes. */
export type EditedArea = {
  /** One byte per pixel of the box: 255 for a changed pixel, 0 for one that remains. */
  readonly opacity: Buffer;
  readonly box: Box;
};

/** Part of the marked box by which a markup extends to each side. */
const MARKUP_MARGIN = 0.1;

/**
 * Returns the area that an edit changes: the transparent pixels of a mask, or the box around the strokes of a markup.
 *
 * @returns `everything` without mask and markup, `nothing` if the mask has no transparent pixel.
 */
export async function editedArea(
  { mask, markup }: EditInputs,
  size: Size,
): Promise<EditedArea | 'everything' | 'nothing'> {
  const overlay = mask ?? markup;
  if (overlay === null) return 'everything';
  const alpha = await alphaOf(overlay, size);
  if (mask !== null) for (let at = 0; at < alpha.length; at++) alpha[at] = 255 - (alpha[at] ?? 0);
  const box = boxOf(alpha, size);
  if (box === null) return 'nothing';
  if (mask !== null) return { opacity: crop(alpha, size, box), box };
  const extended = extend(box, size);
  return { opacity: Buffer.alloc(extended.width * extended.height, 255), box: extended };
}

const alphaOf = ({ source }: Input, { width, height }: Size): Promise<Buffer> =>
  sharp(source)
    .autoOrient()
    .ensureAlpha()
    .extractChannel(3)
    .resize(width, height, { fit: 'fill' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();

/** Returns the smallest box around all pixels that are not 0. */
function boxOf(alpha: Buffer, { width, height }: Size): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (alpha[y * width + x] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function crop(alpha: Buffer, { width }: Size, box: Box): Buffer {
  const rows = Array.from({ length: box.height }, (_, row) => {
    const start = (box.top + row) * width + box.left;
    return alpha.subarray(start, start + box.width);
  });
  return Buffer.concat(rows);
}

function extend(box: Box, size: Size): Box {
  const [dx, dy] = [Math.round(box.width * MARKUP_MARGIN), Math.round(box.height * MARKUP_MARGIN)];
  const [left, top] = [Math.max(0, box.left - dx), Math.max(0, box.top - dy)];
  return {
    left,
    top,
    width: Math.min(size.width, box.left + box.width + dx) - left,
    height: Math.min(size.height, box.top + box.height + dy) - top,
  };
}
