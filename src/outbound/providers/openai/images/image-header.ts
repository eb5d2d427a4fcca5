import { readGif } from './gif-header.ts';
import { ImageFault, type ImageHeader } from './image-fault.ts';
import { readSvg } from './svg-header.ts';

const signatures: readonly { readonly name: string; readonly start: string }[] = [
  { name: 'TIFF', start: 'II*\0' },
  { name: 'TIFF', start: 'MM\0*' },
  { name: 'BMP', start: 'BM' },
  { name: 'an icon', start: '\0\0\x01\0' },
  { name: 'JPEG XL', start: '\xff\x0a' },
  { name: 'JPEG XL', start: '\0\0\0\x0cJXL ' },
  { name: 'JPEG 2000', start: '\0\0\0\x0cjP  ' },
  { name: 'JPEG 2000', start: '\xff\x4f\xff\x51' },
  { name: 'PSD', start: '8BPS' },
  { name: 'Radiance HDR', start: '#?RADIANCE' },
  { name: 'OpenEXR', start: '\x76\x2f\x31\x01' },
  { name: 'gzip', start: '\x1f\x8b' },
  { name: 'Zstandard', start: '\x28\xb5\x2f\xfd' },
  { name: 'BigTIFF', start: 'II+\0' },
  { name: 'QOI', start: 'qoif' },
  { name: 'DDS', start: 'DDS ' },
  { name: 'farbfeld', start: 'farbfeld' },
  ...[1, 2, 3, 4, 5, 6].map((kind) => ({ name: 'PNM', start: `P${kind}\n` })),
  { name: 'a video', start: '\x1a\x45\xdf\xa3' },
  { name: 'PostScript', start: '%!PS' },
  { name: 'a zip archive', start: 'PK\u0003\u0004' },
  { name: 'a PDF', start: '%PDF' },
  { name: 'a web page or other XML', start: '<' },
  { name: 'JSON', start: '{' },
];

/** Brands of ISO base media files (ISO/IEC 14496-12), after the size and `ftyp`. */
const isoBrands: Readonly<Record<string, string>> = {
  mif1: 'HEIF',
  msf1: 'HEIF',
  hevc: 'HEIC',
  avif: 'AVIF',
  avis: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
};

/**
 * Reads type and size from the bytes and verifies that the image is complete. The proof is the chunks up to IEND (PNG), the
 * end marker (JPEG), the RIFF length (WebP), the blocks up to the trailer (GIF) or the last tag (SVG). Bytes after the end stay
 * part of the image. The function decodes no pixels, so a decompression bomb can do no harm.
 *
 * @throws ImageFault `damaged` if the bytes begin like an image, otherwise `unusable`.
 */
export function readImageHeader(bytes: Buffer): ImageHeader {
  if (bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n') return png(bytes);
  if (bytes.toString('latin1', 0, 3) === '\xff\xd8\xff') return jpeg(bytes);
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP')
    return webp(bytes);
  if (bytes.toString('latin1', 0, 4) === 'GIF8') return readGif(bytes);
  const svg = readSvg(bytes);
  if (svg) return svg;
  const name = foreignFormat(bytes);
  if (!name) throw new ImageFault('the bytes are no PNG, JPEG, WebP, GIF or SVG', 'unusable');
  throw new ImageFault(`the bytes are ${name}, not PNG, JPEG, WebP, GIF or SVG`, 'unusable');
}

/** Returns whether bytes begin like an image that `readImageHeader` can read. */
export function beginsLikeImage(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 64);
  const isKnown = ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'GIF8'].some((each) => start.startsWith(each));
  const isWebp = start.startsWith('RIFF') && start.startsWith('WEBP', 8);
  return (
    isKnown || isWebp || /^(?:\xef\xbb\xbf)?\s*<(?:\?xml|!DOCTYPE svg|(?:[\w.-]{1,20}:)?svg\b)/.test(start)
  );
}

function foreignFormat(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, 64);
  if (start.startsWith('ftyp', 4)) return isoBrands[start.slice(8, 12)] ?? 'a video';
  const known = signatures.find(
    (signature) => start.startsWith(signature.start) || start.trimStart().startsWith(signature.start),
  );
  // A dozen printable characters are no chance.
  return known?.name ?? (/^[\t\n\r\x20-\x7e]{12}/.test(start) ? 'text' : undefined);
}

/** The chunk types `IDAT` and `IEND`. */
const chunkName = { pixels: 0x49444154, end: 0x49454e44 } as const;

/** Reads a PNG. Source: W3C PNG, sections 5.3 (chunks) and 11.2.1 (IHDR). */
function png(bytes: Buffer): ImageHeader {
  if (bytes.length < 33 || bytes.toString('latin1', 12, 16) !== 'IHDR' || bytes.readUInt32BE(8) !== 13) {
    throw new ImageFault('the PNG does not begin with its header');
  }
  let at = 8;
  let hasPixels = false;
  while (at + 12 <= bytes.length) {
    const name = bytes.readUInt32BE(at + 4);
    hasPixels ||= name === chunkName.pixels;
    at += 12 + bytes.readUInt32BE(at);
    if (name !== chunkName.end || at > bytes.length) continue;
    if (!hasPixels) throw new ImageFault('the PNG holds no pixels');
    return { contentType: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  throw new ImageFault('the PNG is cut off');
}

const endOfImage = Buffer.from([0xff, 0xd9]);

/**
 * Reads a JPEG up to its first frame header. An end marker after that header proves that the image is complete. The metadata
 * before the header does not count, because it may contain another complete JPEG, the thumbnail. Source: ITU-T T.81, annex B.
 */
function jpeg(bytes: Buffer): ImageHeader {
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (isFrameHeader(marker)) {
      if (bytes.indexOf(endOfImage, at) === -1) throw new ImageFault('the JPEG is cut off');
      return {
        contentType: 'image/jpeg',
        width: bytes.readUInt16BE(at + 7),
        height: bytes.readUInt16BE(at + 5),
      };
    }
    // Skipped one by one, because fill bytes and these markers have no length.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
  }
  const isCutOff = bytes.indexOf(endOfImage, 2) === -1;
  throw new ImageFault(isCutOff ? 'the JPEG is cut off' : 'the JPEG has no frame header');
}

/** Returns whether a marker is SOF0 to SOF15, without DHT, JPG and DAC, which have another meaning. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Reads a WebP: a RIFF container, then a lossy, lossless or extended header. Source: RFC 9649. */
function webp(bytes: Buffer): ImageHeader {
  if (bytes.length < 30) throw new ImageFault('the WebP is cut off');
  const end = 8 + bytes.readUInt32LE(4);
  if (end > bytes.length) throw new ImageFault('the WebP is cut off');
  const size = webpSize(bytes, bytes.toString('latin1', 12, 16));
  if (!size) throw new ImageFault('the WebP has no image header');
  return { contentType: 'image/webp', ...size };
}

function webpSize(bytes: Buffer, chunk: string): { width: number; height: number } | null {
  if (chunk === 'VP8X') return { width: 1 + bytes.readUIntLE(24, 3), height: 1 + bytes.readUIntLE(27, 3) };
  if (chunk === 'VP8 ' && bytes.toString('latin1', 23, 26) === '\x9d\x01\x2a') {
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  }
  if (chunk === 'VP8L' && bytes[20] === 0x2f) {
    const bits = bytes.readUInt32LE(21);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  return null;
}
