import type { Attempt } from './attempt.ts';
import { maxPartialImages } from './image-request.ts';
import { inputKeyOf, type JobInput } from './input-image.ts';

/** A stored image: facts about its bytes. Links are signed when the job is read, never stored. */
export interface StoredImage {
  readonly index: number;
  readonly storageKey: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  /**
   * ThumbHash of the image in base64, a placeholder of about 25 bytes. It is recorded with the thumbnail, whose key is
   * `thumbnailKeyOf`. Empty if no thumbnail can be made of the image, so that it is not tried again.
   */
  readonly thumbhash?: string;
}

/** Edge of the square that contains every thumbnail, in pixels. */
export const thumbnailEdge = 512;
export const thumbnailType = 'image/webp';

/** Types of images with thumbnails. A drawing is small, and its decoder must not see foreign text. */
const typesWithThumbnail: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/gif',
]);

/** Whether a thumbnail of an image can still be made. */
export const lacksThumbnail = ({ contentType, thumbhash }: StoredImage): boolean =>
  thumbhash === undefined && typesWithThumbnail.has(contentType);

/** Whether an image has a thumbnail. */
export const hasThumbnail = ({ thumbhash }: Pick<StoredImage, 'thumbhash'>): boolean =>
  thumbhash !== undefined && thumbhash !== '';

/** A stored preview of an image. `index` is that of the image. */
export interface StoredPreview extends StoredImage {
  /** Number of the preview, from 0. */
  readonly partial: number;
}

const extensions: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'image/png': 'png',
    'image/jpeg': 'jpg',
    'image/webp': 'webp',
    'image/gif': 'gif',
    'image/svg+xml': 'svg',
  }),
);

/** Content types of the images that a provider can send. */
export const imageContentTypes: readonly string[] = [...extensions.keys()];

/** Returns the file extension of a content type, without the dot; `bin` if the type is unknown. */
export function extensionOf(contentType: string): string {
  return extensions.get(contentType) ?? 'bin';
}

/** Returns the file name that a link to an image offers. */
export const imageFileName = (
  { id }: { readonly id: string },
  { index, contentType }: Pick<StoredImage, 'index' | 'contentType'>,
) => `${id}-${index}.${extensionOf(contentType)}`;

/** Returns the file name that a link to a thumbnail offers. */
export const thumbnailFileName = ({ id }: { readonly id: string }, { index }: Pick<StoredImage, 'index'>) =>
  `${id}-${index}-thumbnail.webp`;

type JobName = { readonly tenant: string; readonly id: string };

/**
 * The fields of an attempt that name its call. The number alone does not: if the store loses the beginning of a run, the next
 * run calls under the same number.
 */
export type CallName = Pick<Attempt, 'index' | 'no' | 'startedAt'>;

const callNameOf = ({ index, no, startedAt }: CallName) => `${index}-${no}-${startedAt.toString(36)}`;

/**
 * Returns the storage key of the bytes of one response. Built from ids and numbers only, so that no text of a caller becomes
 * part of a path. Deterministic, so that storing twice overwrites equal bytes. Unique per call, so that a late response
 * never replaces the bytes of another one.
 */
export function storageKeyOf(job: JobName, call: CallName, contentType: string): string {
  return `${folderOf(job)}${callNameOf(call)}.${extensionOf(contentType)}`;
}

/** Returns every key under which the storage may hold the image of a call whose response is unknown. */
export const imageKeysOf = (job: JobName, call: CallName): readonly string[] =>
  [...extensions.keys()].map((contentType) => storageKeyOf(job, call, contentType));

/** Returns the storage key of a preview. It has no type, so that every key of a call is known without its bytes. */
export function previewKeyOf(job: JobName, call: CallName, partial: number): string {
  return `${folderOf(job)}${callNameOf(call)}-${partial}.preview`;
}

/** Returns the storage key of the thumbnail of an image. */
export function thumbnailKeyOf(job: JobName, { index }: Pick<StoredImage, 'index'>): string {
  return `${folderOf(job)}${index}-thumbnail.webp`;
}

/** The fields of a job from which the keys of its previews follow. */
export interface WithPreviews extends JobName {
  readonly previews?: readonly StoredPreview[];
  readonly attempts: readonly Attempt[];
}

/** Returns every key under which the storage may hold a preview: recorded ones, and those of every call with previews. */
export function previewKeysOf(job: WithPreviews): string[] {
  const possible = job.attempts.flatMap((attempt) =>
    // A server may send more previews than were requested.
    Array.from({ length: attempt.partialImages ? maxPartialImages : 0 }, (_, partial) =>
      previewKeyOf(job, attempt, partial),
    ),
  );
  return [...new Set([...keysWithin(job.previews, folderOf(job)), ...possible])];
}

const folderOf = ({ tenant, id }: JobName) => `${tenant}/${id}/`;

/** States of attempts whose bytes are in `images`, or that had none. An unknown state may have left bytes. */
const leftNoBytes: ReadonlySet<string> = new Set<Attempt['state']>(['stored', 'rejected', 'unusable']);

/**
 * Returns every key under which the storage may hold bytes of a job: its inputs, its images with their thumbnails, its
 * previews, and responses that a crashed worker may have stored without recording them. Includes keys in fields that a newer
 * release wrote.
 */
export function storageKeysOf(
  job: WithPreviews & { readonly images: readonly StoredImage[]; readonly inputs?: readonly JobInput[] },
): string[] {
  const unrecorded = job.attempts.filter(
    (attempt) => attempt.kind !== 'enhance' && !leftNoBytes.has(attempt.state),
  );
  const keys = new Set(keysWithin([job.images, job.inputs ?? []], folderOf(job)));
  for (const input of job.inputs ?? []) keys.add(inputKeyOf(job, input));
  for (const image of job.images) keys.add(image.storageKey).add(thumbnailKeyOf(job, image));
  for (const key of previewKeysOf(job)) keys.add(key);
  for (const attempt of unrecorded) for (const key of imageKeysOf(job, attempt)) keys.add(key);
  return [...keys];
}

/** Names below a job's folder. Excludes `..`, so that a damaged record cannot name the bytes of another job. */
const nameInFolder = /^[\w-]+(?:[./][\w-]+)*$/;

/** Returns every text anywhere in a value that is a storage key in a folder. */
function keysWithin(value: unknown, folder: string): string[] {
  if (typeof value === 'string') {
    return value.startsWith(folder) && nameInFolder.test(value.slice(folder.length)) ? [value] : [];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap((nested) => keysWithin(nested, folder));
}
