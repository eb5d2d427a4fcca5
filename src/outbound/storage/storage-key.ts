import { AppError } from '../../domain/errors.ts';

// Two folders and a file name with one extension: no dots, separators or escapes to leave a folder with.
const pattern = /^[A-Za-z0-9_-]{1,128}\/[A-Za-z0-9_-]{1,128}\/[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9]{1,8}$/;

/**
 * Lets only keys of the form `tenant/job/index.ext` pass, for every storage alike.
 *
 * @throws AppError `storage_failed`; a retry cannot help.
 */
export function assertStorageKey(key: string): void {
  if (pattern.test(key)) return;
  throw new AppError('storage_failed', {
    detail: 'The image has a storage key that is not allowed, so the storage was not touched.',
    cause: new Error(`Not of the form tenant/job/index.ext: ${JSON.stringify(key.slice(0, 300))}`),
  });
}
