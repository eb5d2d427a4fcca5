import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../../../domain/errors.ts';
import type { ImageStorage } from '../../../domain/ports.ts';
import { createFileLinks } from '../../../lib/crypto/file-link.ts';
import { systemCode } from '../../../lib/system-code.ts';
import { assertStorageFolder, assertStorageKey, isStorageKey } from '../storage-key.ts';
import { belongsTo, type Content, flushFolders, makeFolder, replaceFile } from './durable-file.ts';
import { filesystemError, unusableFolder } from './filesystem-errors.ts';

export interface FilesystemStorageConfig {
  /** Created if missing. */
  readonly directory: string;
  /** Signs links; at least 32 bytes. */
  readonly signingKey: Buffer;
}

/**
 * Stores images as files below one folder, for a single machine or a shared volume. A stored image survives a power loss.
 * Only the owner can read folders and files. Links are paths that this service serves. `read` returns a Node stream that
 * holds an open file until it is read to the end or destroyed.
 *
 * @throws AppError `storage_unavailable` if a retry may succeed (disk full), otherwise `storage_failed`.
 */
export function createFilesystemStorage(
  config: FilesystemStorageConfig,
): ImageStorage & { close(): Promise<void> } {
  const root = resolve(config.directory);
  const links = createFileLinks(config.signingKey);
  return {
    isServedHere: true,
    put: (key, bytes) => translateErrors(() => put(root, key, bytes)),
    putFile: (key, file) => translateErrors(() => put(root, key, file)),
    copy: (from, to) => translateErrors(() => copy(root, from, to)),
    read: (key) => translateErrors(() => read(root, key)),
    list: (folder) => translateErrors(() => list(root, folder)),
    remove: (key) => translateErrors(() => remove(root, key)),
    async link(key, options) {
      assertStorageKey(key);
      return links.sign({ key, ...options });
    },
    check: () => probe(root),
    async close() {},
  };
}

const maxTries = 100;

async function put(root: string, key: string, content: Content): Promise<void> {
  const { folder, name } = locate(root, key);
  // A removal may delete the empty folder before the file is written. Then the folder is created again.
  for (let tries = 1; ; tries++) {
    try {
      const top = await makeFolder(folder, root);
      await assertInside(root, folder);
      await replaceFile(folder, name, content);
      // All parents are flushed, because another process that created them may not have flushed them yet.
      await flushFolders(folder, top);
      return;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || tries === maxTries) throw error;
      if ('path' in content && !(await isFile(content.path))) throw error;
    }
  }
}

async function copy(root: string, from: string, to: string): Promise<boolean> {
  const source = locate(root, from);
  const path = join(source.folder, source.name);
  const isThere = await absentAsNull(async () => {
    await assertInside(root, source.folder);
    return isFile(path);
  });
  if (!isThere) return false;
  try {
    await put(root, to, { path });
    return true;
  } catch (error) {
    // The source may be removed while it is copied.
    if (await isFile(path)) throw error;
    return false;
  }
}

/** Returns whether a path names a file. A symbolic link is none. */
async function isFile(path: string): Promise<boolean> {
  const found = await absentAsNull(() => lstat(path));
  return found?.isFile() === true;
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

async function list(root: string, folder: string): Promise<string[]> {
  assertStorageFolder(folder);
  const names = await absentAsNull(async () => {
    await assertInside(root, join(root, folder));
    return readdir(join(root, folder));
  });
  return (names ?? []).map((name) => `${folder}/${name}`).filter(isStorageKey);
}

async function remove(root: string, key: string): Promise<void> {
  const { folder, name } = locate(root, key);
  await absentAsNull(async () => {
    await assertInside(root, folder);
    // Temporary files of interrupted writes are removed too, because an erased image must not survive in one.
    const removed = (await readdir(folder)).filter((entry) => belongsTo(name, entry));
    for (const entry of removed) await rm(join(folder, entry), { force: true });
    const changed = await pruneFolder(folder);
    await flushFolders(changed, changed);
  });
}

/** Removes a folder if it is empty. Returns the folder whose entries changed last. */
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
    // No tenant name starts with a dot, so the file cannot collide with the folder of a tenant.
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

/** Rejects if symbolic links lead out of the storage, or if the folder has another spelling (case-insensitive systems). */
async function assertInside(root: string, folder: string): Promise<void> {
  const actual = relative(await realpath(root), await realpath(folder));
  if (actual === relative(root, folder)) return;
  throw new AppError('storage_failed', {
    detail: 'The folder of the image leads out of the storage. The storage was not accessed.',
    cause: new Error(`${folder} leads to ${actual}`),
  });
}

/** Runs file operations. Resolves with null if the file or folder does not exist. */
async function absentAsNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function translateErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw filesystemError(error);
  }
}
