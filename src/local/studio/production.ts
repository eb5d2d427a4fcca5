import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { ProducedImage } from './calls.ts';
import { blankPng } from './drawing/png.ts';
import { createQuickPictures } from './drawing/quick.ts';
import { encode, type PictureRequest, renderPicture } from './drawing/render.ts';
import { type Fault, numberOf, withoutFaultWords } from './faults.ts';
import type { GenerationRequest } from './generation-request.ts';

type ProductionOptions = { picture?: 'drawn' | 'quick' | undefined; imageBytes?: number | undefined };

/** Makes the pictures of one request, as its faults want them. */
export type Production = (request: GenerationRequest, fault: Fault | null) => Promise<Buffer[]>;

/** Chooses the way pictures are made: drawn (the default), or quick ones, which `imageBytes` implies. */
export function createProduction({ picture, imageBytes }: ProductionOptions): Production {
  const isQuick = picture === 'quick' || (picture === undefined && imageBytes !== undefined);
  const make = isQuick ? createQuickPictures(imageBytes) : renderPicture;
  return async (request, fault) => {
    const pictures: Buffer[] = [];
    for (let index = 0; index < request.n; index++) {
      pictures.push((await makeWrong(fault)) ?? enlarge(await make(pictureRequest(request, index)), fault));
    }
    return pictures;
  };
}

const pictureRequest = (request: GenerationRequest, index: number): PictureRequest => ({
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

/** Pads a picture with zeros behind its end, which decoders ignore. */
function enlarge(picture: Buffer, fault: Fault | null): Buffer {
  if (fault?.name !== 'oversized') return picture;
  const sizeBytes = Math.min(256, numberOf(fault, 64)) * 1024 * 1024;
  return Buffer.concat([picture, Buffer.alloc(Math.max(0, sizeBytes - picture.length))]);
}

/** A blurred preview of a finished picture; later ones of `count` are sharper. */
export async function previewOf(picture: Buffer, request: GenerationRequest, index: number, count: number) {
  const { width, height, format, compression } = request;
  const factor = 2 ** (count - index + 2);
  const edge = (pixels: number) => Math.max(4, Math.round(pixels / factor));
  const small = await sharp(picture).resize(edge(width), edge(height), { fit: 'fill' }).png().toBuffer();
  const large = sharp(small).resize(width, height, { fit: 'fill', kernel: 'cubic' });
  return await encode(large, format, compression).toBuffer();
}

/** What the call book keeps of a picture. */
export const identify = (bytes: Buffer): ProducedImage => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  sizeBytes: bytes.length,
});
