import { AppError } from '../../domain/errors.ts';

// Two folders and a file name with one extension. No other dots, separators or escapes, so a key cannot leave its folder.
const pattern = /^[A-Za-z0-9_-]{1,128}\/[A-Za-z0-9_-]{1,128}\/[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9]{1,8}$/;

/**
 * Checks that a key has the form `tenant/job/index.ext`, the same for every storage.
 *
 * @throws AppError `storage_failed`, which a retry cannot fix.
 */
export function assertStorageKey(key: string): void {
  if (pattern.test(key)) return;
  throw new AppError('storage_failed', {
    detail: 'The storage key of the image is invalid. The storage was not accessed.',
    cause: new Error(`Not of the form tenant/job/index.ext: ${JSON.stringify(key.slice(0, 300))}`),
  });
}

const folderPattern = /^[A-Za-z0-9_-]{1,128}\/[A-Za-z0-9_-]{1,128}$/;

/** Checks that a folder has the form `tenant/job`. @throws AppError `storage_failed`, which a retry cannot fix. */
export function assertStorageFolder(folder: string): void {
  if (folderPattern.test(folder)) return;
  throw new AppError('storage_failed', {
    detail: 'The folder in the storage is invalid. The storage was not accessed.',
    cause: new Error(`Not of the form tenant/job: ${JSON.stringify(folder.slice(0, 300))}`),
  });
}

/** Returns whether a text is a storage key. Listings skip others, such as temporary files. */
export const isStorageKey = (key: string): boolean => pattern.test(key);
