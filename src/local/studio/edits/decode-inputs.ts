import sharp from 'sharp';
import { invalid, StudioRefusal } from '../refusals.ts';
import type { InputFile } from './input-files.ts';

/** A decoded input. Sizes are those after orientation. */
export type Input = {
  readonly source: string | Buffer;
  readonly width: number;
  readonly height: number;
  /** The image reduced to `SAMPLE_EDGE` x `SAMPLE_EDGE` pixels of RGBA. */
  readonly sample: Buffer;
};

/** The inputs of one edit. */
export type EditInputs = {
  readonly images: readonly [Input, ...Input[]];
  readonly mask: Input | null;
  readonly markup: Input | null;
};

export const SAMPLE_EDGE = 24;

const MAX_IMAGES = 16;
const MAX_IMAGE_BYTES = 50 * 1024 * 1024;
const MAX_MASK_BYTES = 4 * 1024 * 1024;
const FORMATS = ['png', 'jpeg', 'webp'];

/**
 * Decodes every pixel of the inputs and checks them as OpenAI does.
 * @throws StudioRefusal 400 naming the parameter
 */
export async function decodeInputs(files: readonly InputFile[]): Promise<EditInputs> {
  const ofRole = (role: InputFile['role']) => files.filter((file) => file.role === role);
  const images = ofRole('image');
  if (images.length > MAX_IMAGES) {
    const message = `Invalid 'image': array too long. Expected at most ${MAX_IMAGES} images, but got ${images.length} instead.`;
    throw invalid('image', 'array_above_max_length', message);
  }
  const [first, ...others] = await decodeAll(images);
  if (first === undefined) {
    throw invalid('image', 'missing_required_parameter', "Missing required parameter: 'image'.");
  }
  const [mask, markup] = [ofRole('mask')[0], ofRole('markup')[0]];
  if (mask !== undefined && markup !== undefined) {
    throw invalid('markup', 'invalid_value', 'Send mask or markup, not both.');
  }
  return {
    images: [first, ...others],
    mask: mask === undefined ? null : await decodeOverlay(mask, first),
    markup: markup === undefined ? null : await decodeOverlay(markup, first),
  };
}

/** Decodes one image after the other: the size of the largest bounds the memory. */
async function decodeAll(files: readonly InputFile[]): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const [index, file] of files.entries()) {
    if (file.sizeBytes >= MAX_IMAGE_BYTES) throw tooLarge(file, MAX_IMAGE_BYTES);
    inputs.push(await decode(file, invalidImage(file.param, index)));
  }
  return inputs;
}

/** Decodes a mask or markup, which must have the size of the first image and an alpha channel. */
async function decodeOverlay(file: InputFile, first: Input): Promise<Input> {
  const refuse = (reason: string) =>
    new StudioRefusal(400, `Invalid ${file.role} image format - ${reason}`, {
      type: 'image_generation_user_error',
      code: `invalid_${file.role}_image_format`,
      param: file.role,
    });
  if (file.sizeBytes >= MAX_MASK_BYTES) throw tooLarge(file, MAX_MASK_BYTES);
  const overlay = await decode(file, refuse(`${file.role} is not a valid image`));
  if (overlay.format !== 'png') throw refuse(`${file.role} image must be a PNG`);
  if (!overlay.hasAlpha) throw refuse(`${file.role} image missing alpha channel`);
  if (overlay.width !== first.width || overlay.height !== first.height) {
    throw refuse(`${file.role} size does not match image size`);
  }
  return overlay;
}

async function decode(
  { source }: InputFile,
  refusal: StudioRefusal,
): Promise<Input & { format: string; hasAlpha: boolean }> {
  try {
    const { format, hasAlpha, autoOrient } = await sharp(source).metadata();
    if (!FORMATS.includes(format)) throw refusal;
    const sample = await sharp(source)
      .autoOrient()
      .ensureAlpha()
      .resize(SAMPLE_EDGE, SAMPLE_EDGE, { fit: 'fill' })
      .toColourspace('srgb')
      .raw()
      .toBuffer();
    return { source, sample, format, hasAlpha, width: autoOrient.width, height: autoOrient.height };
  } catch {
    throw refusal;
  }
}

/** Returns the refusal of an image that cannot be used, with OpenAI's text. Images are counted from 1. */
export const invalidImage = (param: string, index: number) =>
  new StudioRefusal(400, `Invalid image file or mode for image ${index + 1}, please check your image file.`, {
    type: 'image_generation_user_error',
    code: 'invalid_image_file',
    param,
  });

const tooLarge = ({ param, sizeBytes }: InputFile, maxBytes: number) =>
  invalid(
    param,
    'file_above_max_size',
    `Invalid '${param}': the file has ${sizeBytes} bytes, and must have less than ${maxBytes}.`,
  );
