import { createCipheriv, createHash } from 'node:crypto';
import sharp from 'sharp';
import { withComment } from './png.ts';
import { encode, type PictureRequest } from './render.ts';

const LOOKS = 8;
const KEPT_PICTURES = 64;

/**
 * Flat pictures in eight colours for benches and tests, drawn once per size, format and colour and then kept.
 * With `imageBytes`, so many bytes of each picture are noise, which no encoder makes smaller: a PNG of about that
 * many bytes, as far as its pixels can hold them. PNGs carry a comment, so that every prompt, seed and index gives
 * other bytes; jpeg and webp of one colour are equal.
 */
export function createQuickPictures(imageBytes = 0): (request: PictureRequest) => Promise<Buffer> {
  const kept = new Map<string, Promise<Buffer>>();
  return async (request) => {
    const { prompt, seed, index, width, height, format, compression, transparent } = request;
    const digest = createHash('sha256').update(`${prompt}|${seed}|${index}`).digest();
    const look = digest.readUInt8(0) % LOOKS;
    const key = [width, height, format, compression, transparent, look].join();
    const picture = kept.get(key) ?? drawFlat(request, look, imageBytes);
    kept.set(key, picture);
    const [oldest] = kept.keys();
    if (kept.size > KEPT_PICTURES && oldest !== undefined) kept.delete(oldest);
    const bytes = await picture;
    return format === 'png' ? withComment(bytes, digest.toString('hex')) : bytes;
  };
}

async function drawFlat(request: PictureRequest, look: number, imageBytes: number): Promise<Buffer> {
  const { width, height, format, compression, transparent } = request;
  const channels = transparent ? 4 : 3;
  const colour = [70 + look * 20, 120, 200 - look * 15, 255].slice(0, channels);
  const pixels = Buffer.alloc(width * height * channels, Buffer.from(colour));
  noise(Math.min(imageBytes, pixels.length), look).copy(pixels);
  const picture = sharp(pixels, { raw: { width, height, channels } });
  return await encode(picture, format, compression).toBuffer();
}

/** Bytes that do not compress, the same every time: the key stream of a cipher. */
function noise(sizeBytes: number, look: number): Buffer {
  const key = createHash('sha256').update(`noise ${look}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
