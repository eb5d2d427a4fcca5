import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import { systemCode } from '../../lib/system-code.ts';

const advice: Record<string, string> = {
  ENOSPC: 'The disk of the spool is full. Free space or use a larger disk.',
  EDQUOT: 'The disk quota of the spool is used up. Raise the quota or free space.',
  EACCES: 'The spool directory is not writable. Check DATA_DIR and its owner.',
  EEXIST: 'A file has the name of the spool directory. Remove that file.',
  ENOTDIR: 'A part of the path of the spool is a file. Remove that file, or correct DATA_DIR.',
  EROFS: 'The spool directory is on a read-only disk. Check DATA_DIR.',
  EMFILE: 'Too many files are open. Raise the limit of open files.',
};

/**
 * Runs one step against the disk.
 *
 * @throws AppError `storage_failed` with advice; its cause is the disk's error.
 */
export async function onDisk<T>(step: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemCode(error) ?? '';
    throw new AppError('storage_failed', {
      detail: advice[code] ?? `The spool failed to ${step}${code ? ` (${code})` : ''}. Check its disk.`,
      cause: error,
    });
  }
}

/** Returns the size of all files in a directory, in bytes. A file that disappears while the directory is read counts 0. */
export async function usedBytes(directory: string): Promise<number> {
  const names = await readdir(directory);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Returns the free space on the disk of a directory, in bytes. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
