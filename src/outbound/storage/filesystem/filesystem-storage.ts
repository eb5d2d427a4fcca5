import { constants } from 'node:fs';
import { open, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../../../domain/errors.ts';
import type { ImageStorage } from '../../../domain/ports.ts';
import { createFileLinks } from '../../../lib/crypto/file-link.ts';
import { systemCode } from '../../../lib/system-code.ts';
import { assertStorageKey } from '../storage-key.ts';
import { belongsTo, flushFolders, makeFolder, replaceFile } from './durable-file.ts';
import { filesystemError, unusableFolder } from './filesystem-errors.ts';

export interface FilesystemStorageConfig {
  /** Made when it is missing. */
  readonly directory: string;
  /** Signs links; at least 32 bytes. */
  readonly signingKey: Buffer;
}

/**
 * Images as files below one folder, for a single machine or a shared volume. A stored image survives a power cut.
 * Folders and files are readable for their owner alone. Links are paths that Darkroom serves itself. What `read`
 * returns is a stream of Node that holds an open file until it is read to its end or destroyed.
 *
 * @throws AppError `storage_unavailable` when waiting can help (disk full), `storage_failed` when it cannot.
 */
export function createFilesystemStorage(
  config: FilesystemStorageConfig,
): ImageStorage & { close(): Promise<void> } {
  const root = resolve(config.directory);
  const links = createFileLinks(config.signingKey);
  return {
    isServedHere: true,
    put: (key, bytes) => translated(() => put(root, key, bytes)),
    read: (key) => translated(() => read(root, key)),
    remove: (key) => translated(() => remove(root, key)),
    async link(key, options) {
      assertStorageKey(key);
      return links.sign({ key, ...options });
    },
    check: () => probe(root),
    async close() {},
  };
}

const maxTries = 100;

async function put(root: string, key: string, bytes: Uint8Array): Promise<void> {
  const { folder, name } = locate(root, key);
  // A removal may prune the empty folder between making it and writing into it; then it is made again.
  for (let tries = 1; ; tries++) {
    try {
      const top = await makeFolder(folder, root);
      await assertInside(root, folder);
      await replaceFile(folder, name, bytes);
      // Always up to the top, even if somebody else made the folders: they may not have flushed them yet.
      await flushFolders(folder, top);
      return;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || tries === maxTries) throw error;
    }
  }
}

async function read(root: string, key: string): Promise<{ body: Readable; sizeBytes: number } | null> {
  const { folder, name } = locate(root, key);
  const file = await absentAsNull(async () => {
    await assertInside(root, folder);
    return open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW);
  });
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    return { body: file.createReadStream(), sizeBytes: size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function remove(root: string, key: string): Promise<void> {
  const { folder, name } = locate(root, key);
  await absentAsNull(async () => {
    await assertInside(root, folder);
    // With it goes what a crash in the middle of a write left: an erased image must not survive as a temporary file.
    const doomed = (await readdir(folder)).filter((entry) => belongsTo(name, entry));
    for (const entry of doomed) await rm(join(folder, entry), { force: true });
    const kept = await pruneFolder(folder);
    await flushFolders(kept, kept);
  });
}

/** Removes a folder if it is empty; returns the folder whose entries changed last. */
async function pruneFolder(folder: string): Promise<string> {
  try {
    await rmdir(folder);
    return dirname(folder);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return folder;
    throw error;
  }
}

async function probe(root: string): Promise<void> {
  try {
    const top = await makeFolder(root, root);
    // The dot keeps it apart from the folder of any tenant.
    await replaceFile(root, '.probe', Buffer.from('probe'));
    await rm(join(root, '.probe'), { force: true });
    await flushFolders(root, top);
  } catch (error) {
    throw unusableFolder(root, error);
  }
}

function locate(root: string, key: string): { folder: string; name: string } {
  assertStorageKey(key);
  return { folder: join(root, dirname(key)), name: basename(key) };
}

/** Refuses a folder that links lead elsewhere, and on file systems that ignore case one with another spelling. */
async function assertInside(root: string, folder: string): Promise<void> {
  const actual = relative(await realpath(root), await realpath(folder));
  if (actual === relative(root, folder)) return;
  throw new AppError('storage_failed', {
    detail: 'The image lies in a folder that leads out of the storage, so it was not touched.',
    cause: new Error(`${folder} leads to ${actual}`),
  });
}

async function absentAsNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw filesystemError(error);
  }
}
