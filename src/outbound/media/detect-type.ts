import type { InputContentType } from '../../domain/input-image.ts';
import { invalid } from './scan.ts';

const remedy = 'Send a PNG, JPEG or WebP file.';

/** Other file types by their beginnings. The first match counts. */
const others: readonly (readonly [pattern: RegExp, detail: string])[] = [
  [/^....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)/s, 'HEIC images cannot be used: convert to JPEG.'],
  [/^....ftypavi[fs]/s, 'AVIF images cannot be used: convert to PNG, JPEG or WebP.'],
  [/^....ftyp/s, `Videos cannot be used. ${remedy}`],
  [/^GIF8/, 'GIF images cannot be used: convert to PNG.'],
  [/^(\xef\xbb\xbf)?\s*(<\?xml|<svg|<!DOCTYPE svg|<!--)/i, `SVG images and XML cannot be used. ${remedy}`],
  [/^(\xef\xbb\xbf)?\s*</, `Web pages cannot be used. ${remedy}`],
  [/^(II\*\0|MM\0\*)/, 'TIFF and raw images cannot be used: convert to JPEG.'],
  [/^BM/, 'BMP images cannot be used: convert to PNG.'],
  [/^(\xff\n|....JXL )/s, 'JPEG XL images cannot be used: convert to JPEG.'],
  [/^%PDF/, `PDF documents cannot be used. ${remedy}`],
  [/^PK/, `Archives cannot be used. ${remedy}`],
];

/**
 * Returns the type of a file from its first bytes.
 *
 * @throws AppError `input_invalid` that names the type and the remedy if the type cannot be used.
 */
export function detectType(start: Buffer): InputContentType {
  const text = start.toString('latin1');
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^RIFF....WEBP/s.test(text)) return 'image/webp';
  if (start.length === 0) throw invalid('The file is empty.');
  const known = others.find(([pattern]) => pattern.test(text));
  throw invalid(known?.[1] ?? `The file is no image that can be used. ${remedy}`);
}
