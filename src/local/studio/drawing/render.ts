import sharp, { type Sharp } from 'sharp';
import { createRandom } from './random.ts';
import { composeScene, type SceneRequest } from './scene.ts';

export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif' | 'svg';

export type RenderRequest = Omit<SceneRequest, 'backdrop'> & {
  format: ImageFormat;
  /** 0..100, for jpeg and webp. */
  compression: number;
  transparent: boolean;
};

const GRAIN_EDGE = 256;
const GRAIN = makeGrain();

/** Metadata with the IPTC term for an image made by an algorithm without a trained model. */
export const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" ' +
  'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia" ' +
  'xmp:CreatorTool="Darkroom studio (offline)"/></rdf:RDF></x:xmpmeta>';

/** Draws one image. The same request has the same bytes. Drawing and encoding run off the event loop. */
export async function renderImage(request: RenderRequest): Promise<Buffer> {
  const svg = composeScene({ ...request, backdrop: !request.transparent });
  if (request.format === 'svg') return Buffer.from(svg);
  const edge = Math.min(GRAIN_EDGE, request.width, request.height);
  const grain = {
    input: GRAIN.subarray(0, edge * edge * 4),
    raw: { width: edge, height: edge, channels: 4 },
  } as const;
  // `atop` leaves transparent areas transparent.
  const drawn = sharp(Buffer.from(svg)).composite([{ ...grain, tile: true, blend: 'atop' }]);
  const flat = request.transparent ? drawn : drawn.removeAlpha();
  return await encode(flat.withXmp(XMP), request.format, request.compression).toBuffer();
}

/** Encodes an image in a format, the pixels of a drawing as png. `compression` is the quality of jpeg and webp. */
export function encode(image: Sharp, format: ImageFormat, compression: number): Sharp {
  const quality = Math.max(1, compression);
  if (format === 'jpeg') return image.jpeg({ quality });
  if (format === 'webp') return image.webp({ quality, effort: 2 });
  if (format === 'gif') return image.gif({ effort: 1 });
  return image.png({ compressionLevel: 6 });
}

/** Returns a drawing that shows a png. */
export const drawingOf = (png: Buffer, { width, height }: Pick<RenderRequest, 'width' | 'height'>): Buffer =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
      `<image width="${width}" height="${height}" href="data:image/png;base64,${png.toString('base64')}"/></svg>`,
  );

/** Returns a tile of faint monochrome grain, which hides the banding of gradients. */
function makeGrain(): Buffer {
  const random = createRandom('grain');
  const tile = Buffer.alloc(GRAIN_EDGE * GRAIN_EDGE * 4);
  for (let offset = 0; offset < tile.length; offset += 4) {
    const value = random.next() + random.next() - 1;
    const gray = value < 0 ? 0 : 255;
    tile.set([gray, gray, gray, Math.round(Math.abs(value) * 11)], offset);
  }
  return tile;
}
