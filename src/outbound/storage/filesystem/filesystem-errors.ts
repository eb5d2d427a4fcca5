import { AppError } from '../../../domain/errors.ts';
import { systemCode } from '../../../lib/system-code.ts';

// Codes of temporary failures. Every other code needs a change by the operator.
const transientCodes = new Set([
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
  EROFS: 'it is on a read-only file system. Mount a writable volume',
  ENOTDIR: 'a part of the path is a file. Remove that file',
  EEXIST: 'a file has that name. Remove that file',
  ENOSPC: 'the disk is full. Free some space',
  EDQUOT: 'the disk quota is used up. Free some space',
};

/**
 * Translates the error of a file operation: `storage_unavailable` if a retry may succeed (disk full, too many open files),
 * otherwise `storage_failed`. The message contains no paths, because API callers may read it.
 */
export function filesystemError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = systemCode(error) ?? 'unknown';
  if (transientCodes.has(code)) {
    return new AppError('storage_unavailable', {
      detail: `The image storage is temporarily unavailable (${code}). Retry shortly.`,
      retryAfterSeconds: 5,
      cause: error,
    });
  }
  return new AppError('storage_failed', {
    detail: `The image storage failed (${code}). The operator of this service must fix it.`,
    cause: error,
  });
}

/** Returns an error with the fault of the storage folder and a remedy for the operator. */
export function unusableFolder(directory: string, error: unknown): AppError {
  const code = systemCode(error) ?? 'unknown';
  const remedy = remedies[code] ?? 'the operating system refuses access. Check the folder and its disk';
  return new AppError('storage_unavailable', {
    detail: `Images cannot be stored in "${directory}": ${remedy}, or set DATA_DIR to another folder (${code}).`,
    cause: error,
  });
}
