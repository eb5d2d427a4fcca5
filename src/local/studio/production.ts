import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { ProducedImage } from './calls.ts';
import { blankPng } from './drawing/png.ts';
import { createQuickImages } from './drawing/quick.ts';
import { encode, type RenderRequest, renderImage } from './drawing/render.ts';
import { type Fault, numberOf, withoutFaultWords } from './faults.ts';
import type { GenerationRequest } from './generation-request.ts';

type ProductionOptions = { image?: 'drawn' | 'quick' | undefined; imageBytes?: number | undefined };

/** Makes the images of one request, as its faults want them. */
export type Production = (request: GenerationRequest, fault: Fault | null) => Promise<Buffer[]>;

/** Chooses the way images are made: drawn (the default), or quick ones, which `imageBytes` implies. */
export function createProduction({ image, imageBytes }: ProductionOptions): Production {
  const isQuick = image === 'quick' || (image === undefined && imageBytes !== undefined);
  const make = isQuick ? createQuickImages(imageBytes) : renderImage;
  return async (request, fault) => {
    const images: Buffer[] = [];
    for (let index = 0; index < request.n; index++) {
      images.push((await makeWrong(fault)) ?? enlarge(await make(renderRequest(request, index)), fault));
    }
    return images;
  };
}

const renderRequest = (request: GenerationRequest, index: number): RenderRequest => ({
  prompt: withoutFaultWords(request.prompt),
  seed: request.seed,
  index,
  width: request.width,
  height: request.height,
  format: request.format,
  compression: request.compression,
  transparent: request.background === 'transparent',
});

async function makeWrong(fault: Fault | null): Promise<Buffer | null> {
  if (fault?.name === 'not-an-image') return Buffer.from('This is not an image, whatever the answer says.\n');
  if (fault?.name !== 'huge') return null;
  const [, width = '1', height = '30000'] = /^(\d{1,5})x(\d{1,5})$/.exec(fault.value ?? '') ?? [];
  return await blankPng(Math.max(1, Number(width)), Math.max(1, Number(height)));
}

/** Pads an image with zeros behind its end, which decoders ignore. */
function enlarge(image: Buffer, fault: Fault | null): Buffer {
  if (fault?.name !== 'oversized') return image;
  const sizeBytes = Math.min(256, numberOf(fault, 64)) * 1024 * 1024;
  return Buffer.concat([image, Buffer.alloc(Math.max(0, sizeBytes - image.length))]);
}

/** A blurred preview of a finished image; later ones of `count` are sharper. */
export async function previewOf(image: Buffer, request: GenerationRequest, index: number, count: number) {
  const { width, height, format, compression } = request;
  const factor = 2 ** (count - index + 2);
  const edge = (pixels: number) => Math.max(4, Math.round(pixels / factor));
  const small = await sharp(image).resize(edge(width), edge(height), { fit: 'fill' }).png().toBuffer();
  const large = sharp(small).resize(width, height, { fit: 'fill', kernel: 'cubic' });
  return await encode(large, format, compression).toBuffer();
}

/** What the call book keeps of an image. */
export const identify = (bytes: Buffer): ProducedImage => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  sizeBytes: bytes.length,
});
