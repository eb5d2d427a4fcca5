import { open } from 'node:fs/promises';
import sharp, { type FailOnOptions as FailOn, type Metadata, type Sharp } from 'sharp';
import { AppError } from '../../domain/errors.ts';
import {
  type InputContentType,
  maxInputBytes,
  maxInputEdge,
  maxInputPixels,
  maxWholePixels,
} from '../../domain/input-image.ts';
import type { ImageInspector, InspectedImage, LocalFile, Staging } from '../../domain/ports.ts';
import { createFairSemaphore } from '../../lib/fair-semaphore.ts';
import { detectType } from './detect-type.ts';
import { openWindow } from './file-window.ts';
import { isArchiveToo } from './find-archive.ts';
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
/** Quality of images that are encoded again. The loss is not visible. */
const quality = 95;

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
  const decodeSlots = createFairSemaphore(options.maxConcurrent);
  const largeSlots = createFairSemaphore(1);

  /** Decodes under the limits of memory. Tenants take turns, because an image may take seconds and a tenant may send many. */
  function limited<T>({ tenant = '' }: LocalFile, pixels: number, work: () => Promise<T>): Promise<T> {
    const slot = () => decodeSlots(tenant, work);
    return pixels > largePixels ? largeSlots(tenant, slot) : slot();
  }

  async function rewrite(file: LocalFile, scan: Scan, metadata: Metadata): Promise<LocalFile | null> {
    const limits = { maxBytes: maxInputBytes, tenant: file.tenant };
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
      return limited(file, pixels, async () => {
        await decoding(() => decodeAll(file.path, metadata));
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
    const scan = await scanners[type](window);
    if (await isArchiveToo(window)) throw invalid('The file is an archive too. Save the image again.');
    return scan;
  } finally {
    await handle.close();
  }
}

function checkMetadata(metadata: Metadata, contentType: InputContentType): void {
  // A decoder that sees another format than the header would be misled by the file.
  if (formats[metadata.format] !== contentType)
    throw invalid('The file is of two types. Save the image again.');
  if ((metadata.pages ?? 1) > 1) throw animated();
  const { width, height } = metadata;
  const limit = limitOf(metadata, contentType);
  if (limit !== null) throw invalid(`The image has ${width}x${height} pixels. ${limit}`);
}

/** Returns the limit that an image exceeds; `null` if there is none. */
function limitOf({ width, height, isProgressive }: Metadata, contentType: InputContentType): string | null {
  const pixels = width * height;
  if (pixels > maxInputPixels) return `At most ${maxInputPixels} pixels can be used.`;
  if (Math.max(width, height) > maxInputEdge) return `An edge can have at most ${maxInputEdge} pixels.`;
  const isWhole = isProgressive || contentType === 'image/webp';
  if (!isWhole || pixels <= maxWholePixels) return null;
  return `A WebP, progressive or interlaced image can have at most ${maxWholePixels} pixels. Save it as a plain JPEG or PNG.`;
}

const openImage = (path: string, failOn: FailOn = 'error'): Sharp =>
  sharp(path, { limitInputPixels: maxInputPixels, failOn, sequentialRead: true }).timeout({
    seconds: maxDecodeSeconds,
  });

/** Warnings about files that many cameras and programs write, and whose pixels are complete. */
const harmless =
  /data: [0-9]{1,4} extraneous bytes|Invalid SOS parameters|JFIF revision|Adobe color transform/;

/**
 * Decodes every pixel with little memory. Formats are read from the top, so the last pixel needs all others. A warning means
 * damage, such as missing data, unless it is harmless.
 */
async function decodeAll(path: string, { width, height }: Metadata): Promise<void> {
  const lastPixel = { left: width - 1, top: height - 1, width: 1, height: 1 };
  const decode = (failOn: FailOn) => openImage(path, failOn).extract(lastPixel).raw().toBuffer();
  await decode('warning').catch((error: unknown) => {
    if (!(error instanceof Error) || !harmless.test(error.message)) throw error;
    return decode('error');
  });
}

const opaque = Buffer.alloc(1024 * 1024, 255);

/** Returns whether a pixel is not opaque. Holds one byte per pixel. */
async function hasClearPixel(path: string): Promise<boolean> {
  const alpha = await openImage(path).extractChannel('alpha').raw({ depth: 'uchar' }).toBuffer();
  // Comparing blocks of memory is a hundred times faster than looking at each byte.
  for (let at = 0; at < alpha.length; at += opaque.length) {
    const block = alpha.subarray(at, at + opaque.length);
    if (!block.equals(opaque.subarray(0, block.length))) return true;
  }
  return false;
}

const isTurned = ({ orientation = 1 }: Metadata): boolean => orientation !== 1;

function uprightSize({ width, height, orientation = 1 }: Metadata): { width: number; height: number } {
  return orientation >= 5 ? { width: height, height: width } : { width, height };
}

/** Returns the image with upright pixels, in the same format and without metadata except its color profile. */
function upright(path: string, contentType: InputContentType): Sharp {
  const image = openImage(path).autoOrient().keepIccProfile();
  if (contentType === 'image/png') return image.png({ compressionLevel: 3 });
  if (contentType === 'image/webp') return image.webp({ quality, effort: 1 });
  // Optimized coding needs two passes over all pixels, which the encoder then holds.
  return image.jpeg({ quality, chromaSubsampling: '4:4:4', optimizeCoding: false });
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
