import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../../lib/sync-folder.ts';

/**
 * Atomic writes that survive a power loss: a file is written under a temporary name in the same folder, flushed and renamed.
 * Then the folders are flushed, because names are data of their folder.
 */

/** Content of a new file: bytes, or another file on this machine. */
export type Content = Uint8Array | { readonly path: string };

/** Writes a file and replaces an older one with that name. The folder must exist. The caller flushes the folder. */
export async function replaceFile(folder: string, name: string, content: Content): Promise<void> {
  const temporary = join(folder, `.${name}.${randomUUID()}.tmp`);
  try {
    await (content instanceof Uint8Array
      ? writeBytes(temporary, content)
      : copyBytes(temporary, content.path));
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Copies a file within the kernel, so that its bytes never pass through this process. */
async function copyBytes(path: string, source: string): Promise<void> {
  await copyFile(source, path, constants.COPYFILE_EXCL);
  await chmod(path, 0o600);
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Returns true if a folder entry is `name` or the temporary file of an interrupted write of it. */
export function belongsTo(name: string, entry: string): boolean {
  return entry === name || (entry.startsWith(`.${name}.`) && entry.endsWith('.tmp'));
}

/** Creates a folder and its parents. Returns the topmost folder whose entries changed, or `fallback` if none was created. */
export async function makeFolder(folder: string, fallback: string): Promise<string> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made === undefined) return fallback;
  const changed = dirname(made);
  return changed.length < fallback.length ? changed : fallback;
}

/** Flushes a folder and its parents up to and including `top`. */
export async function flushFolders(folder: string, top: string): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    await syncFolder(at);
    if (at === top || at === dirname(at)) return;
  }
}
