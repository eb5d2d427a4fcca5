import { z } from 'zod';
import { AppError, type FieldIssue } from '../../../domain/errors.ts';
import { ImageRequestBody } from '../../../domain/image-request.ts';
import { type InputImage, maxInputImages, maxUrlCharacters } from '../../../domain/input-image.ts';
import { GenerationBody } from './generation-body.ts';

/** Bodies of `POST /v1/images/edits`: JSON with addresses and ids, or a form with files. */

export const OpenAiInput = z
  .strictObject({
    // Without a length, because counting the characters of megabytes delays other requests. `toInput` checks it.
    image_url: z
      .string()
      .min(1)
      .optional()
      .describe(
        '`https:` address that a worker fetches without redirects, or a data URL of at most 20,971,520 characters.',
      ),
    file_id: z.string().min(1).max(64).optional().describe('Id of a file or upload.'),
  })
  .describe('An input. Exactly one of `image_url` and `file_id` names the bytes.');
type OpenAiInput = z.infer<typeof OpenAiInput>;

const EditFields = GenerationBody.extend({ input_fidelity: ImageRequestBody.shape.input_fidelity });
export type EditFields = z.infer<typeof EditFields>;

/** Body of an edit as JSON. */
export const EditBody = EditFields.extend({
  images: z.array(OpenAiInput).min(1).max(maxInputImages).describe('Images to edit, 1 to 16.'),
  mask: OpenAiInput.optional().describe('PNG with alpha and the size of the first image.'),
  markup: OpenAiInput.optional().describe('PNG with transparent pixels and the size of the first image.'),
});
export type EditBody = z.infer<typeof EditBody>;

const binary = z.string().meta({ format: 'binary' });

/** Body of an edit as a form. */
export const EditForm = EditFields.extend({
  image: z
    .array(binary)
    .optional()
    .describe('Images to edit, 1 to 16: one field `image`, `image[]` or `image[0]` for each.'),
  mask: binary.optional().describe('PNG with alpha and the size of the first image.'),
  markup: binary.optional().describe('PNG with transparent pixels and the size of the first image.'),
}).describe('An edit as a form: files and texts. Members of nested fields are fields such as `svg[model]`.');

/** Inputs of a request in the form of the native API. */
type NativeInputs = Pick<ImageRequestBody, 'images' | 'mask' | 'markup'>;

/**
 * Separates the inputs of an edit from its fields, and maps them to the native API. A form has none, because its files are
 * not part of the body.
 *
 * @throws AppError `validation_failed`
 */
export function separateInputs(body: EditFields & Partial<EditBody>): {
  readonly fields: EditFields;
  readonly inputs: NativeInputs;
} {
  const { images, mask, markup, ...fields } = body;
  return {
    fields,
    inputs: {
      ...(images ? { images: images.map((each, index) => toInput(each, `/images/${index}`)) } : {}),
      ...(mask ? { mask: toInput(mask, '/mask') } : {}),
      ...(markup ? { markup: toInput(markup, '/markup') } : {}),
    },
  };
}

function toInput({ image_url, file_id }: OpenAiInput, pointer: string): InputImage {
  if ((image_url === undefined) === (file_id === undefined))
    throw invalid({ pointer, detail: 'must have exactly one of image_url, file_id' });
  if (image_url === undefined) return { upload_id: file_id };
  if (image_url.startsWith('data:')) return { data: image_url };
  if (image_url.length <= maxUrlCharacters) return { url: image_url };
  throw invalid({
    pointer: `${pointer}/image_url`,
    detail: `must be a data URL, or an address of at most ${maxUrlCharacters} characters`,
  });
}

/** Returns the error of a form without images. */
export const imageRequired = (): AppError => invalid({ pointer: '/image', detail: 'is required' });

const invalid = (issue: FieldIssue) =>
  new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues: [issue] });

const names: ReadonlyMap<string, string> = new Map(
  Object.entries({ data: 'image_url', url: 'image_url', upload_id: 'file_id' }),
);

/**
 * Returns the name of a field as the caller of an edit knows it, from its name in the native API.
 *
 * @param imageFiles number of images in a form; 0 for JSON.
 */
export function paramOfEdit(param: string, imageFiles: number): string {
  if (imageFiles === 0)
    return param.replace(/(?<=^(?:images\.\d+|mask|markup)\.)\w+$/, (name) => names.get(name) ?? name);
  return param.replace(/^images(?:\.(\d+))?$/, (_, index) =>
    index === undefined || imageFiles === 1 ? 'image' : `image[${index}]`,
  );
}

/** Returns the pointer of an issue of a JSON body as the caller of an edit knows it. */
export const pointerOfEdit = (pointer: string): string =>
  pointer.replace(/(?<=^\/(?:images\/\d+|mask|markup)\/)\w+$/, (name) => names.get(name) ?? name);
