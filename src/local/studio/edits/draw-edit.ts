import sharp, { type OverlayOptions } from 'sharp';
import { createCanvas } from '../drawing/canvas.ts';
import { paintOfflineMark } from '../drawing/offline-mark.ts';
import { createRandom } from '../drawing/random.ts';
import { drawingOf, encode, type RenderRequest, XMP } from '../drawing/render.ts';
import { composeScene } from '../drawing/scene.ts';
import { mainColors, recolorWith } from './colors-of.ts';
import type { EditInputs, Input } from './decode-inputs.ts';
import { type EditedArea, editedArea } from './edited-area.ts';
import { arrange, type Box, type Size } from './layout.ts';

/** Width of the soft edge of an element, as a share of its shorter edge. */
const SOFT_EDGE = 0.05;

/**
 * Draws an edit. The prompt's scene is painted in the colors of the inputs. Without a mask, the inputs are elements of that
 * scene, side by side. With a mask, only its transparent area shows the scene and the further inputs. Every other pixel is
 * one of the first input, scaled to the size of the image, except those of the mark.
 */
export async function drawEdit(request: RenderRequest, inputs: EditInputs): Promise<Buffer> {
  const { width, height, format, compression, transparent } = request;
  const [first, ...others] = inputs.images;
  const area = await editedArea(inputs, request);
  const image =
    area === 'everything'
      ? sharp(await paint(request, inputs, inputs.images), rawRgba(request)).composite([mark(request)])
      : scaled(first, request).composite([
          ...(area === 'nothing' ? [] : [await patch(request, inputs, { area, elements: others })]),
          mark(request),
        ]);
  // The first encoding ends the pipeline, so that the alpha channel is removed after the layers are joined.
  const pixels = await image.raw().toBuffer();
  const joined = sharp(pixels, rawRgba({ width, height }));
  const flat = transparent ? joined : joined.flatten({ background: '#fff' });
  const bytes = await encode(flat.withXmp(XMP), format, compression).toBuffer();
  return format === 'svg' ? drawingOf(bytes, request) : bytes;
}

const rawRgba = ({ width, height }: Size) => ({ raw: { width, height, channels: 4 as const } });

const scaled = ({ source }: Input, { width, height }: Size) =>
  sharp(source).autoOrient().ensureAlpha().toColourspace('srgb').resize(width, height, { fit: 'fill' });

/** Paints the scene with elements in it. Returns RGBA pixels. */
async function paint(
  { prompt, seed, index, width, height, transparent }: RenderRequest,
  { images }: EditInputs,
  elements: readonly Input[],
): Promise<Buffer> {
  const recolor = recolorWith(mainColors(images.map(({ sample }) => sample)));
  const scene = composeScene({
    prompt,
    seed,
    index,
    width,
    height,
    recolor,
    backdrop: !transparent,
    isMarked: false,
  });
  const boxes = arrange(elements, { width, height }, createRandom(`${prompt}|${seed}|${index}|layout`));
  const layers: OverlayOptions[] = [];
  for (const [position, box] of boxes.entries()) {
    const element = elements[position];
    if (element !== undefined) layers.push(await layerOf(element, box));
  }
  return await sharp(Buffer.from(scene)).ensureAlpha().composite(layers).raw().toBuffer();
}

/** Scales an element into its box and softens its edges, so that it becomes a part of the scene. */
async function layerOf(element: Input, box: Box): Promise<OverlayOptions> {
  const { left, top, width, height } = box;
  const edge = Math.min(width, height) * SOFT_EDGE;
  const softened = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><filter id="s" x="-10%" y="-10%" width="120%" height="120%">` +
      `<feGaussianBlur stdDeviation="${edge / 3}"/></filter><rect x="${edge}" y="${edge}" width="${width - 2 * edge}" height="${height - 2 * edge}" ` +
      `rx="${edge}" filter="url(#s)"/></svg>`,
  );
  const input = await scaled(element, box)
    .composite([{ input: softened, blend: 'dest-in' }])
    .raw()
    .toBuffer();
  return { input, ...rawRgba(box), left, top };
}

/** Paints the edited area as a layer that is transparent where the image remains. */
async function patch(
  request: RenderRequest,
  inputs: EditInputs,
  { area, elements }: { area: EditedArea; elements: readonly Input[] },
): Promise<OverlayOptions> {
  const { box, opacity } = area;
  const { left, top, width, height } = box;
  const pixels = await paint({ ...request, width, height, transparent: false }, inputs, elements);
  for (let pixel = 0; pixel < opacity.length; pixel++) pixels[pixel * 4 + 3] = opacity[pixel] ?? 0;
  return { input: pixels, ...rawRgba(box), left, top };
}

/** Draws the mark of offline images over the whole image. */
function mark({ width, height }: Size): OverlayOptions {
  const canvas = createCanvas(width, height);
  paintOfflineMark(canvas);
  return { input: Buffer.from(canvas.toSvg()), left: 0, top: 0 };
}
