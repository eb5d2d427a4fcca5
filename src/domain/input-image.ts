import { z } from 'zod';
import type { FieldIssue } from './errors.ts';
import { isKnown, type Open } from './open.ts';

/**
 * Images that a caller gives to a job: the images to edit, a mask, and a markup. A job has its own copy of their bytes, so
 * that no other job, upload or image can change or delete them.
 */

export const inputRoles = ['image', 'mask', 'markup'] as const;
export type InputRole = (typeof inputRoles)[number];

/** Roles of inputs that a deployment never takes, each with the reason. */
export type RefusedInputs = Readonly<Partial<Record<InputRole, string>>>;

/** Origins of an input. */
export const inputSourceTypes = ['upload', 'image', 'url', 'data', 'multipart'] as const;
export type InputSourceType = (typeof inputSourceTypes)[number];

/** Formats of inputs. The provider takes no others. */
export const inputContentTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;
export type InputContentType = (typeof inputContentTypes)[number];

export const maxInputImages = 16;
/** Maximum size of one file, in bytes. */
export const maxInputBytes = 50 * 1024 * 1024;
/** Maximum number of pixels of one file. */
export const maxInputPixels = 50_000_000;
/** Maximum number of pixels of a file whose decoder holds the whole image: WebP, progressive JPEG, interlaced PNG. */
export const maxWholePixels = 25_000_000;
/** Maximum length of an edge, in pixels. JPEG has no longer ones. */
export const maxInputEdge = 65_535;
/** Maximum length of one `data`, in characters. The largest file of that form has 15 MiB. */
export const maxDataCharacters = 20_971_520;

/** Maximum length of an address, in characters. Presigned links with session tokens have more than 2,000. */
export const maxUrlCharacters = 8_192;

/** One input of a request. Exactly one of `url`, `upload_id`, `image_id` and `data` names the bytes. */
export const InputImage = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .max(maxUrlCharacters)
      .optional()
      .describe(
        '`https:` address of the file. A worker fetches it without redirects, within 60 s for all addresses of the job.',
      ),
    upload_id: z.string().min(1).max(64).optional().describe('Id of an upload, `upl_...`.'),
    image_id: z.string().min(1).max(64).optional().describe('Id of an earlier job, `img_...`.'),
    index: z
      .int()
      .min(0)
      .max(9)
      .optional()
      .describe('Index of the image of the earlier job. Only with `image_id`. Default 0.'),
    // Without a length, because counting the characters of megabytes delays other requests. `collect-inputs` checks it.
    data: z
      .string()
      .optional()
      .describe('The file as base64 or as a data URI, at most 20,971,520 characters.'),
  })
  .meta({ minProperties: 1 });
export type InputImage = z.infer<typeof InputImage>;

/** Fields of a request that hold inputs. */
export const inputFields = {
  images: z
    .array(InputImage)
    .min(1)
    .max(maxInputImages)
    .optional()
    .describe(
      'Images to edit, 1 to 16: PNG, JPEG or WebP of at most 50 MB each. With them the job is an edit.',
    ),
  mask: InputImage.optional().describe(
    'PNG with alpha and the size of the first image. The transparent area is edited. Only with `images`.',
  ),
  markup: InputImage.optional().describe(
    'PNG with transparent pixels and the size of the first image, laid over it to guide the edit. Only with `images`, never with `mask`.',
  ),
};

/** Facts about the bytes of an input as they are stored and sent. */
export interface InputFacts {
  readonly contentType: string;
  /** Edges in pixels, after orientation. */
  readonly width: number;
  readonly height: number;
  readonly sizeBytes: number;
  /** SHA-256, hex. */
  readonly sha256: string;
}

/** Origin of an input in a record. */
export interface InputSource {
  readonly type: Open<InputSourceType>;
  readonly uploadId?: string;
  readonly imageId?: string;
  readonly index?: number;
  readonly url?: string;
}

/** Identifies an input within its job. */
export interface InputName {
  readonly role: Open<InputRole>;
  /** Position among the inputs of the role, from 0. */
  readonly index: number;
}

/** One input in the record of a job. The facts are absent until a worker has fetched a URL. */
export interface JobInput extends InputName, Partial<InputFacts> {
  readonly source: InputSource;
}

/** An input whose bytes are stored. */
export type StoredInput = InputName & InputFacts & { readonly source: InputSource };

/** Returns whether the bytes of an input are stored. */
export function isStoredInput(input: JobInput): input is StoredInput {
  return input.sha256 !== undefined;
}

/**
 * Returns whether only a newer release knows what an input is for, or where its bytes are. A call without such an input would
 * pay for another image than the caller requested.
 */
export function isOfNewerRelease(input: JobInput): boolean {
  const isObtainable = isStoredInput(input) || isKnown(inputSourceTypes, input.source.type);
  return !isKnown(inputRoles, input.role) || !isObtainable;
}

type JobName = { readonly tenant: string; readonly id: string };

/**
 * Returns the storage key of an input. It lies in the folder of the job and depends on ids only, so that the bytes can be
 * deleted even if the record was never written.
 */
export function inputKeyOf({ tenant, id }: JobName, { role, index }: InputName): string {
  return `${tenant}/${id}/in-${role}-${index}.bin`;
}

/** Returns every storage key that inputs of a job can have. */
export function allInputKeysOf(job: JobName): string[] {
  const images = Array.from({ length: maxInputImages }, (_, index) =>
    inputKeyOf(job, { role: 'image', index }),
  );
  return [
    ...images,
    inputKeyOf(job, { role: 'mask', index: 0 }),
    inputKeyOf(job, { role: 'markup', index: 0 }),
  ];
}

/** Returns the pointer of the request field that holds an input. */
export function pointerOf({ role, index }: InputName): string {
  return role === 'image' ? `/images/${index}` : `/${role}`;
}

/** Facts that are compared. */
type Sized = Pick<InputFacts, 'contentType' | 'width' | 'height'>;

/**
 * Compares mask and markup with the first image. Inputs whose facts are unknown are skipped.
 *
 * @returns one issue for each fault.
 */
export function overlayIssues(inputs: readonly JobInput[]): FieldIssue[] {
  const first = inputs.find(({ role, index }) => role === 'image' && index === 0);
  return inputs.flatMap((input) => {
    if (input.role === 'image' || !isStoredInput(input)) return [];
    const detail = overlayFault(input, first && isStoredInput(first) ? first : undefined);
    return detail === null ? [] : [{ pointer: pointerOf(input), detail }];
  });
}

function overlayFault(overlay: Sized, first: Sized | undefined): string | null {
  if (overlay.contentType !== 'image/png') return 'must be a PNG';
  if (!first || (overlay.width === first.width && overlay.height === first.height)) return null;
  return `must have the size of the first image, ${first.width}x${first.height}; it has ${overlay.width}x${overlay.height}`;
}

const wordOfField: readonly (keyof InputImage)[] = ['url', 'upload_id', 'image_id', 'data'];

/** Returns the issues of the input fields of a request that its schema cannot express. */
export function inputFieldIssues(body: {
  readonly images?: readonly InputImage[] | undefined;
  readonly mask?: InputImage | undefined;
  readonly markup?: InputImage | undefined;
}): FieldIssue[] {
  const { images = [], mask, markup } = body;
  return [
    ...images.flatMap((input, index) => originIssues(input, pointerOf({ role: 'image', index }))),
    ...(mask ? originIssues(mask, '/mask') : []),
    ...(markup ? originIssues(markup, '/markup') : []),
  ];
}

/** Returns the issues of a combination of roles, from whatever form of request. */
export function roleIssues(roles: readonly InputName[]): FieldIssue[] {
  const count = (role: InputRole) => roles.filter((each) => each.role === role).length;
  const issues: FieldIssue[] = [];
  if (count('image') > maxInputImages) {
    issues.push({ pointer: '/images', detail: `must hold at most ${maxInputImages} images` });
  }
  for (const role of ['mask', 'markup'] as const) {
    if (count(role) > 1) issues.push({ pointer: `/${role}`, detail: 'must be one file' });
    if (count(role) > 0 && count('image') === 0) {
      issues.push({ pointer: `/${role}`, detail: 'needs images, which it belongs to' });
    }
  }
  if (count('mask') > 0 && count('markup') > 0) {
    issues.push({ pointer: '/markup', detail: 'cannot be combined with mask' });
  }
  return issues;
}

function originIssues(input: InputImage, pointer: string): FieldIssue[] {
  const given = wordOfField.filter((field) => input[field] !== undefined);
  if (given.length !== 1) {
    return [{ pointer, detail: 'must have exactly one of url, upload_id, image_id, data' }];
  }
  if (input.index !== undefined && input.image_id === undefined) {
    return [{ pointer: `${pointer}/index`, detail: 'is for image_id only' }];
  }
  return [];
}

/** Returns the ids of the jobs and uploads that a job comes from: its parent and the origins of its inputs. */
export function parentsOf({
  parentId,
  inputs = [],
}: {
  readonly parentId?: string;
  readonly inputs?: readonly JobInput[];
}): string[] {
  const origins = inputs.flatMap(({ source: { imageId, uploadId } }) => [imageId, uploadId]);
  return [...new Set([parentId, ...origins])].filter((id) => id !== undefined);
}
