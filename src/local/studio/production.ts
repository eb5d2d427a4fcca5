import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { ProducedImage } from './call-log.ts';
import { blankPng } from './drawing/png.ts';
import { createQuickImages } from './drawing/quick.ts';
import { encode, type RenderRequest, renderImage } from './drawing/render.ts';
import { drawEdit } from './edits/draw-edit.ts';
import { type Fault, numberOf, withoutFaultWords } from './faults.ts';
import type { GenerationRequest } from './generation-request.ts';

type ProductionOptions = { image?: 'drawn' | 'quick' | undefined; imageBytes?: number | undefined };

/** Makes the images of one request, changed by its fault. */
export type Production = (request: GenerationRequest, fault: Fault | null) => Promise<Buffer[]>;

/** Creates the function that makes images: drawn ones (default) or quick ones (implied by `imageBytes`). */
export function createProduction({ image, imageBytes }: ProductionOptions): Production {
  const isQuick = image === 'quick' || (image === undefined && imageBytes !== undefined);
  const quick = createQuickImages(imageBytes);
  const make = (request: RenderRequest, { inputs }: GenerationRequest) => {
    if (isQuick) return quick(request);
    return inputs === null ? renderImage(request) : drawEdit(request, inputs);
  };
  return async (request, fault) => {
    const images: Buffer[] = [];
    for (let index = 0; index < request.n; index++) {
      images.push(
        (await makeFaulty(fault)) ??
          enlarge(await make(renderRequest(request, index), request), fault, request.n),
      );
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

async function makeFaulty(fault: Fault | null): Promise<Buffer | null> {
  if (fault?.name === 'not-an-image') return Buffer.from('This is plain text, not an image.\n');
  if (fault?.name !== 'huge') return null;
  const [, width = '1', height = '30000'] = /^(\d{1,5})x(\d{1,5})$/.exec(fault.value ?? '') ?? [];
  return await blankPng(Math.max(1, Number(width)), Math.max(1, Number(height)));
}

/** Maximum size of the oversized images of one call, in megabytes. The text of their base64 has a maximum length. */
const MAX_OVERSIZED = 256;

/** Pads one of `n` images with zeros after its end, which decoders ignore. */
function enlarge(image: Buffer, fault: Fault | null, n: number): Buffer {
  if (fault?.name !== 'oversized') return image;
  const sizeBytes = Math.floor(Math.min(MAX_OVERSIZED / n, numberOf(fault, 64)) * 1024 * 1024);
  return Buffer.concat([image, Buffer.alloc(Math.max(0, sizeBytes - image.length))]);
}

/** Returns a blurred preview of a finished image. Of `count` previews, later ones have more detail. */
export async function previewOf(
  image: Buffer,
  request: GenerationRequest,
  { index, count }: { index: number; count: number },
): Promise<Buffer> {
  const { width, height, format, compression } = request;
  const factor = 2 ** (count - index + 2);
  const edge = (pixels: number) => Math.max(4, Math.round(pixels / factor));
  const small = await sharp(image).resize(edge(width), edge(height), { fit: 'fill' }).png().toBuffer();
  const large = sharp(small).resize(width, height, { fit: 'fill', kernel: 'cubic' });
  return await encode(large, format, compression).toBuffer();
}

/** Returns the entry of the call log for an image. */
export const identify = (bytes: Buffer): ProducedImage => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  sizeBytes: bytes.length,
});
