import { type Attempt, isOpen } from './attempt.ts';
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
}

const extensions: Record<string, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/svg+xml': 'svg',
};

/** Returns the file extension of a content type, without the dot; `bin` if the type is unknown. */
export function extensionOf(contentType: string): string {
  return extensions[contentType] ?? 'bin';
}

type JobName = { readonly tenant: string; readonly id: string };

/**
 * Returns the storage key of the bytes of one response. Built from ids only, so that no text of a caller becomes part of a
 * path. Deterministic, so that storing twice overwrites equal bytes. Unique per attempt, so that a late response never
 * replaces the bytes of an earlier one.
 */
export function storageKeyOf(
  job: JobName,
  attempt: { readonly index: number; readonly no: number },
  contentType: string,
): string {
  return `${folderOf(job)}${attempt.index}-${attempt.no}.${extensionOf(contentType)}`;
}

const folderOf = ({ tenant, id }: JobName) => `${tenant}/${id}/`;

/** States of attempts whose bytes are in `images`, or that had none. An unknown state may have left bytes. */
const leftNoBytes: ReadonlySet<string> = new Set<Attempt['state']>(['stored', 'rejected', 'unusable']);

/**
 * Returns every key under which the storage may hold bytes of a job: its inputs, its images, and responses that a crashed worker may
 * have stored without recording them. Includes keys in fields that a newer release wrote, such as thumbnails.
 */
export function storageKeysOf(
  job: JobName & {
    readonly images: readonly StoredImage[];
    readonly attempts: readonly Attempt[];
    readonly inputs?: readonly JobInput[];
  },
): string[] {
  const unrecorded = job.attempts.filter(
    (attempt) => attempt.kind !== 'enhance' && (isOpen(attempt) || !leftNoBytes.has(attempt.state)),
  );
  const keys = new Set(keysWithin([job.images, job.inputs ?? []], folderOf(job)));
  for (const input of job.inputs ?? []) keys.add(inputKeyOf(job, input));
  for (const image of job.images) keys.add(image.storageKey);
  for (const attempt of unrecorded) {
    for (const contentType of Object.keys(extensions)) keys.add(storageKeyOf(job, attempt, contentType));
  }
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
