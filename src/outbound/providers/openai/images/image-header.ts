/** What the bytes of an image say about themselves. */
export interface ImageHeader {
  readonly contentType: 'image/png' | 'image/jpeg' | 'image/webp';
  /** Pixels, as stored. */
  readonly width: number;
  readonly height: number;
}

/** Says in words why bytes are no complete image. */
export class ImageFault extends Error {}

/** Bytes after the end of an image that harm nobody; anything else could be a second file in disguise. */
const paddingBytes = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20]);
const maxPaddingBytes = 64 * 1024;

const signatures: readonly { readonly name: string; readonly start: string }[] = [
  { name: 'a GIF', start: 'GIF8' },
  { name: 'a zip archive', start: 'PK\u0003\u0004' },
  { name: 'a PDF', start: '%PDF' },
  { name: 'a web page, SVG or other XML', start: '<' },
  { name: 'JSON', start: '{' },
];

/**
 * Reads type and size from the bytes and proves that the image is complete: by its chunks up to IEND (PNG), its end
 * marker (JPEG) or its RIFF length (WebP). Nothing is decoded, so no image can be a bomb here.
 *
 * @throws ImageFault
 */
export function readImageHeader(bytes: Buffer): ImageHeader {
  if (bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n') return png(bytes);
  if (bytes.toString('latin1', 0, 3) === '\xff\xd8\xff') return jpeg(bytes);
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP')
    return webp(bytes);
  const start = bytes.toString('latin1', 0, 64).trimStart();
  const known = signatures.find((signature) => start.startsWith(signature.start));
  throw new ImageFault(
    known ? `the bytes are ${known.name}, not PNG, JPEG or WebP` : 'the bytes are no PNG, JPEG or WebP',
  );
}

/** `IDAT` and `IEND`. */
const chunkName = { pixels: 0x49444154, end: 0x49454e44 } as const;

/** W3C PNG, sections 5.3 (chunks) and 11.2.1 (IHDR). */
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
    refuseAfterEnd(bytes, at);
    return { contentType: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  throw new ImageFault('the PNG is cut off');
}

/** ITU-T T.81, annex B: segments up to the first frame header; the rest is proved by the end marker. */
function jpeg(bytes: Buffer): ImageHeader {
  let end = bytes.length;
  while (end > bytes.length - maxPaddingBytes && paddingBytes.has(bytes[end - 1] ?? 0xff)) end -= 1;
  if (bytes[end - 2] !== 0xff || bytes[end - 1] !== 0xd9) throw new ImageFault('the JPEG is cut off');
  let at = 2;
  while (at + 9 <= end && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (isFrameHeader(marker)) {
      return {
        contentType: 'image/jpeg',
        width: bytes.readUInt16BE(at + 7),
        height: bytes.readUInt16BE(at + 5),
      };
    }
    // Fill bytes and markers without a length.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
  }
  throw new ImageFault('the JPEG has no frame header');
}

/** SOF0 to SOF15, without the three markers of that range that mean something else (DHT, JPG, DAC). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** RFC 9649: RIFF container, then a lossy, lossless or extended header. */
function webp(bytes: Buffer): ImageHeader {
  if (bytes.length < 30) throw new ImageFault('the WebP is cut off');
  const end = 8 + bytes.readUInt32LE(4);
  if (end > bytes.length) throw new ImageFault('the WebP is cut off');
  refuseAfterEnd(bytes, end);
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

function refuseAfterEnd(bytes: Buffer, end: number): void {
  const after = bytes.subarray(end);
  if (after.length > maxPaddingBytes || !after.every((value) => paddingBytes.has(value))) {
    throw new ImageFault('something else follows the image');
  }
}
