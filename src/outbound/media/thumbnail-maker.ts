import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import sharp from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';
import { thumbnailEdge } from '../../domain/image.ts';
import type { ThumbnailMaker } from '../../domain/ports.ts';
import { createSemaphore } from '../../lib/semaphore.ts';

const quality = 80;
/** Edge of the image from which the placeholder is computed. The algorithm takes at most 100 pixels. */
const hashEdge = 100;
const maxDecodeSeconds = 30;
/** More than any image that a provider may send. Rows are decoded one after the other, so that memory stays small. */
const maxDecodePixels = 100_000_000;
const never = new AbortController().signal;

/**
 * Creates a maker of thumbnails. It makes one at a time, because each needs a core, and workers have better uses for the
 * others. Decodes while the bytes arrive.
 */
export function createThumbnailMaker(): ThumbnailMaker {
  const oneAtATime = createSemaphore(1);

  async function decode(body: AsyncIterable<Uint8Array>): Promise<Buffer | null> {
    const decoder = sharp({ limitInputPixels: maxDecodePixels, sequentialRead: true })
      .timeout({ seconds: maxDecodeSeconds })
      .resize(thumbnailEdge, thumbnailEdge, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality });
    const made = decoder.toBuffer().catch(() => null);
    const source = watched(body);
    await pipeline(Readable.from(source.body), decoder).catch(() => {});
    if (source.fault() !== undefined) throw source.fault();
    return made;
  }

  return {
    make: (body) =>
      oneAtATime(async () => {
        const bytes = await decode(body);
        return bytes && { bytes, hash: await hashOf(bytes) };
      }, never),
  };
}

/** Remembers a fault of the body, which a pipeline does not distinguish from a fault of its decoder. */
function watched(body: AsyncIterable<Uint8Array>) {
  let fault: unknown;
  async function* passedOn() {
    try {
      yield* body;
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  return { body: passedOn(), fault: () => fault };
}

async function hashOf(thumbnail: Buffer): Promise<string> {
  const { data, info } = await sharp(thumbnail)
    .resize(hashEdge, hashEdge, { fit: 'inside', withoutEnlargement: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString('base64');
}
