import type { ImageRequest, InputImage, Upload } from './generated/types.gen.ts';
import type { JobImage } from './job-image.ts';

/** Content of a file. A stream is read into memory first, so that a broken connection can be repaired. */
export type FileSource = Blob | ArrayBuffer | Uint8Array | ReadableStream<Uint8Array>;

/**
 * An input of an edit: a file or its bytes, an https address, a data URI, the id of an upload, an upload, an image of an earlier job, or
 * an input as the API names it.
 */
export type ImageInput = FileSource | string | Upload | JobImage | InputImage;
/** An input after its bytes were read. */
type ReadInput = Exclude<ImageInput, Exclude<FileSource, Blob>>;

/** A request for an edit. `images` may be one image or several, at most 16. */
export type EditRequest = Omit<ImageRequest, 'images' | 'mask' | 'markup'> & {
  images: ImageInput | readonly ImageInput[];
  mask?: ImageInput;
  markup?: ImageInput;
};

/** A request as it is sent: JSON, or a form with files. Both have the same fields and the same meaning. */
export interface Payload {
  readonly json: ImageRequest;
  readonly form: FormData | undefined;
  /** Size of the files. */
  readonly bytes: number;
}

/** Returns a request with images. Without an image it would be a paid generation. @throws TypeError without an image */
export function checkImages<T extends { readonly images?: unknown }>(request: T): T {
  if ([request.images ?? []].flat().length > 0) return request;
  throw new TypeError('images must contain at least one image.');
}

/** Returns the fields that have a value. The service refuses `null`. */
export const withoutMissing = <T extends object>(fields: T): T =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as T;

/**
 * Returns what is sent for a request. Files become parts of a form, so that a repeated call with the same idempotency key
 * has the same content. Files between other inputs are uploaded first, because a form has its files last. Fields that are
 * `undefined` or `null` are not sent.
 *
 * @param upload `null` if the content must be the same for a repetition by another process. Each upload has another id.
 * @throws TypeError if the list of images is empty, or if a file would be uploaded and cannot.
 */
export async function payloadOf(
  request: ImageRequest | EditRequest,
  upload: ((file: Blob) => Promise<Upload>) | null,
): Promise<Payload> {
  const { images, mask: givenMask, markup: givenMarkup, ...fields } = withoutMissing(request);
  if (images !== undefined) checkImages({ images });
  const given = images === undefined ? [] : ([images].flat() as ImageInput[]);
  const list = await Promise.all(given.map(readInput));
  const mask = givenMask && (await readInput(givenMask));
  const markup = givenMarkup && (await readInput(givenMarkup));
  const firstFile = list.findIndex(isFile);
  const areFilesLast = firstFile === -1 || list.slice(firstFile).every(isFile);
  if (!areFilesLast && !upload) {
    throw new TypeError(
      'With an idempotencyKey of your own, put files after the other images, or pass uploads that you made before.',
    );
  }
  const ordered: ReadInput[] =
    !upload || areFilesLast
      ? list
      : await Promise.all(list.map(async (each) => (isFile(each) ? upload(each) : each)));
  const json: ImageRequest = {
    ...fields,
    ...(ordered.some((each) => !isFile(each)) ? { images: ordered.filter(isNoFile).map(inputOf) } : {}),
    ...(mask === undefined || isFile(mask) ? {} : { mask: inputOf(mask) }),
    ...(markup === undefined || isFile(markup) ? {} : { markup: inputOf(markup) }),
  };
  const files: [string, Blob][] = [
    ...ordered.filter(isFile).map((file): [string, Blob] => ['image[]', file]),
    ...(isFile(mask) ? ([['mask', mask]] as [string, Blob][]) : []),
    ...(isFile(markup) ? ([['markup', markup]] as [string, Blob][]) : []),
  ];
  const bytes = files.reduce((sum, [, { size }]) => sum + size, 0);
  return { json, form: files.length === 0 ? undefined : formOf(json, files), bytes };
}

function formOf(json: ImageRequest, files: readonly [string, Blob][]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(json)) {
    form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  for (const [name, file] of files) form.append(name, file, nameOf(file));
  return form;
}

/** Returns the name of a File. A Blob has none. */
export const nameOf = (file: Blob): string =>
  'name' in file && typeof file.name === 'string' ? file.name : 'image';

/** Reads a file into a Blob. */
export async function blobOf(source: FileSource): Promise<Blob> {
  if (source instanceof Blob) return source;
  if (source instanceof ReadableStream)
    return new Response(source as ReadableStream<Uint8Array<ArrayBuffer>>).blob();
  return new Blob([source as ArrayBuffer]);
}

const readInput = async (input: ImageInput): Promise<ReadInput> =>
  input instanceof ReadableStream || input instanceof ArrayBuffer || ArrayBuffer.isView(input)
    ? blobOf(input as FileSource)
    : input;

const isFile = (input: ReadInput | undefined): input is Blob => input instanceof Blob;
const isNoFile = (input: ReadInput): input is Exclude<ReadInput, Blob> => !isFile(input);

/** Returns an input as the API names it. */
function inputOf(input: Exclude<ReadInput, Blob>): InputImage {
  if (typeof input === 'string') {
    if (input.startsWith('upl_')) return { upload_id: input };
    return input.startsWith('data:') ? { data: input } : { url: input };
  }
  if ('jobId' in input) return { image_id: input.jobId, index: input.index };
  return 'object' in input ? { upload_id: input.id } : input;
}
