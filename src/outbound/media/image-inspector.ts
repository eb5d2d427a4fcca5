import { open } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { AppError } from '../../domain/errors.ts';
import { type InputContentType, maxInputBytes, maxInputPixels } from '../../domain/input-image.ts';
import type { ImageInspector, InspectedImage, LocalFile, Staging } from '../../domain/ports.ts';
import { createSemaphore } from '../../lib/semaphore.ts';
import { detectType } from './detect-type.ts';
import { openWindow } from './file-window.ts';
import { animated, invalid, type Scan } from './scan.ts';
import { scanJpeg } from './scan-jpeg.ts';
import { scanPng } from './scan-png.ts';
import { scanWebp } from './scan-webp.ts';
import { withoutMetadata } from './strip-metadata.ts';

export interface ImageInspectorOptions {
  /** Number of images that are decoded at the same time. */
  readonly maxConcurrent: number;
}

const scanners: Record<InputContentType, typeof scanPng> = {
  'image/png': scanPng,
  'image/jpeg': scanJpeg,
  'image/webp': scanWebp,
};
const formats: Readonly<Record<string, InputContentType>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

/** Pixels from which on an image is decoded alone. Some decoders hold the whole image in memory. */
const largePixels = 12_000_000;
const maxDecodeSeconds = 20;
/** Edges of the image that every pixel is reduced to. */
const sampleEdge = 8;
/** Quality of images that are encoded again. The loss is not visible. */
const quality = 95;
const never = new AbortController().signal;

/**
 * Inspects images of callers. The structure of the file is read first, at the cost of its size. Then every pixel is decoded,
 * because headers alone do not reveal a damaged file.
 * The type comes from the first bytes, so no file reaches the decoders of SVG, GIF or TIFF.
 */
export function createImageInspector(
  staging: Pick<Staging, 'write'>,
  options: ImageInspectorOptions,
): ImageInspector {
  sharp.cache(false);
  const decodeSlots = createSemaphore(options.maxConcurrent);
  const largeSlots = createSemaphore(1);

  /** Decodes under the limits of memory. */
  async function limited<T>(pixels: number, work: () => Promise<T>): Promise<T> {
    const slot = () => decodeSlots(work, never) as Promise<T>;
    return pixels > largePixels ? ((await largeSlots(slot, never)) as T) : slot();
  }

  async function rewrite(file: LocalFile, scan: Scan, metadata: Metadata): Promise<LocalFile | null> {
    const limits = { maxBytes: maxInputBytes };
    if (isTurned(metadata)) return staging.write(upright(file.path, scan.contentType), limits);
    if (scan.metadata.length === 0) return null;
    return staging.write(withoutMetadata(file.path, scan), limits);
  }

  return {
    async inspect(file, { findTransparency }): Promise<InspectedImage> {
      const scan = await scanFile(file.path);
      const metadata = await decoding(() => sharp(file.path, { limitInputPixels: false }).metadata());
      checkMetadata(metadata, scan.contentType);
      const pixels = metadata.width * metadata.height;
      return limited(pixels, async () => {
        await decoding(() => decodeAll(file.path));
        const hasTransparency = findTransparency
          ? metadata.hasAlpha && (await decoding(() => hasClearPixel(file.path)))
          : null;
        const rewritten = await decoding(() => rewrite(file, scan, metadata));
        return {
          file: rewritten ?? file,
          isRewritten: rewritten !== null,
          contentType: scan.contentType,
          ...uprightSize(metadata),
          hasAlpha: metadata.hasAlpha,
          hasTransparency,
        };
      });
    },
  };
}

async function scanFile(path: string): Promise<Scan> {
  const handle = await open(path, 'r');
  try {
    const window = await openWindow(handle);
    const type = detectType(Buffer.from(await window.at(0, 64)));
    return await scanners[type](window);
  } finally {
    await handle.close();
  }
}

function checkMetadata(metadata: Metadata, contentType: InputContentType): void {
  // A decoder that sees another format than the header would be misled by the file.
  if (formats[metadata.format] !== contentType)
    throw invalid('The file is of two types. Save the image again.');
  if ((metadata.pages ?? 1) > 1) throw animated();
  const pixels = metadata.width * metadata.height;
  if (pixels > maxInputPixels) {
    throw invalid(
      `The image has ${metadata.width}x${metadata.height} pixels. At most ${maxInputPixels} pixels can be used.`,
    );
  }
}

const openImage = (path: string): Sharp =>
  sharp(path, { limitInputPixels: maxInputPixels, failOn: 'error', sequentialRead: true }).timeout({
    seconds: maxDecodeSeconds,
  });

/** Decodes every pixel with little memory: the rows are reduced while they are read. */
async function decodeAll(path: string): Promise<void> {
  await openImage(path)
    .resize(sampleEdge, sampleEdge, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
    .raw()
    .toBuffer();
}

/** Returns whether a pixel is not opaque. Holds one byte per pixel. */
async function hasClearPixel(path: string): Promise<boolean> {
  const alpha = await openImage(path).extractChannel('alpha').raw({ depth: 'uchar' }).toBuffer();
  return alpha.some((value) => value !== 255);
}

const isTurned = ({ orientation = 1 }: Metadata): boolean => orientation !== 1;

function uprightSize({ width, height, orientation = 1 }: Metadata): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

/** Returns the image with upright pixels, in the same format and without metadata except its color profile. */
function upright(path: string, contentType: InputContentType): Sharp {
  const image = openImage(path).autoOrient().keepIccProfile();
  if (contentType === 'image/png') return image.png();
  if (contentType === 'image/webp') return image.webp({ quality });
  return image.jpeg({ quality, chromaSubsampling: '4:4:4' });
}

/** Translates errors of the decoder. */
async function decoding<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const message = error instanceof Error ? error.message : '';
    if (message.includes('timeout')) throw invalid('The image takes too long to decode.', error);
    throw invalid('The image is damaged: it cannot be decoded completely. Save it again.', error);
  }
}
