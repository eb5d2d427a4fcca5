import { AppError } from '../../../domain/errors.ts';
import { systemCode } from '../../../lib/system-code.ts';

// What goes away by itself or by freeing something; everything else needs a change by a person.
const passing = new Set([
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'ENFILE',
  'EBUSY',
  'EIO',
  'EAGAIN',
  'ETIMEDOUT',
  'ESTALE',
]);

const remedies: Record<string, string> = {
  EACCES: 'it is not writable for the user Darkroom runs as. Change its owner or permissions',
  EPERM: 'it is not writable for the user Darkroom runs as. Change its owner or permissions',
  EROFS: 'it lies on a read-only file system. Mount a writable volume there',
  ENOTDIR: 'a part of the path is a file. Remove that file',
  EEXIST: 'there is a file of that name. Remove that file',
  ENOSPC: 'the disk is full. Free some space',
  EDQUOT: 'the disk quota is used up. Free some space',
};

/**
 * Translates what a file operation threw: `storage_unavailable` when waiting can help (disk full, too many open files),
 * `storage_failed` when it cannot. Names no paths, since callers may read it.
 */
export function filesystemError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = systemCode(error) ?? 'unknown';
  if (passing.has(code)) {
    return new AppError('storage_unavailable', {
      detail: `The image storage cannot be used at the moment (${code}). Try again shortly.`,
      retryAfterSeconds: 5,
      cause: error,
    });
  }
  return new AppError('storage_failed', {
    detail: `The image storage refused to work (${code}). Whoever runs this service has to correct it.`,
    cause: error,
  });
}

/** What is wrong with the storage folder and what to do about it, for the one who runs the service. */
export function unusableFolder(directory: string, error: unknown): AppError {
  const code = systemCode(error) ?? 'unknown';
  const remedy = remedies[code] ?? 'the operating system refuses. Look at the folder and its disk';
  return new AppError('storage_unavailable', {
    detail: `Images cannot be stored in "${directory}": ${remedy}, or set DATA_DIR to another folder (${code}).`,
    cause: error,
  });
}
