import { createCipheriv, createHash } from 'node:crypto';
import sharp from 'sharp';
import { withComment } from './png.ts';
import { drawingOf, encode, type RenderRequest } from './render.ts';

const LOOKS = 8;
const MAX_CACHED_IMAGES = 64;

/**
 * Creates flat images in eight colors for benchmarks and tests. Each size, format and color is drawn once and cached.
 * With `imageBytes`, that number of bytes of each image is noise, which no encoder compresses. PNGs carry a comment, so
 * that every prompt, seed and index has different bytes, and so do drawings. Jpeg and webp images of one color are equal.
 */
export function createQuickImages(imageBytes = 0): (request: RenderRequest) => Promise<Buffer> {
  const cache = new Map<string, Promise<Buffer>>();
  return async (request) => {
    const { prompt, seed, index, width, height, format, compression, transparent } = request;
    const digest = createHash('sha256').update(`${prompt}|${seed}|${index}`).digest();
    const look = digest.readUInt8(0) % LOOKS;
    const key = [width, height, format, compression, transparent, look].join();
    const image = cache.get(key) ?? drawFlat(request, look, imageBytes);
    cache.set(key, image);
    const [oldest] = cache.keys();
    if (cache.size > MAX_CACHED_IMAGES && oldest !== undefined) cache.delete(oldest);
    const bytes = await image;
    if (format !== 'png' && format !== 'svg') return bytes;
    const png = withComment(bytes, digest.toString('hex'));
    return format === 'svg' ? drawingOf(png, request) : png;
  };
}

async function drawFlat(request: RenderRequest, look: number, imageBytes: number): Promise<Buffer> {
  const { width, height, format, compression, transparent } = request;
  const channels = transparent ? 4 : 3;
  const color = [70 + look * 20, 120, 200 - look * 15, 255].slice(0, channels);
  const pixels = Buffer.alloc(width * height * channels, Buffer.from(color));
  noise(Math.min(imageBytes, pixels.length), look).copy(pixels);
  const image = sharp(pixels, { raw: { width, height, channels } });
  return await encode(image, format, compression).toBuffer();
}

/** Returns bytes that do not compress and are always the same: the key stream of a cipher. */
function noise(sizeBytes: number, look: number): Buffer {
  const key = createHash('sha256').update(`noise ${look}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
