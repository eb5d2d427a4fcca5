import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, opendir, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock, Spool, SpoolEntry, SpoolHead, SpoolKey } from '../../domain/ports.ts';
import type { SpoolState } from '../../domain/process-state.ts';
import { thisWriter } from '../../lib/file-writer.ts';
import { syncFolder } from '../../lib/sync-folder.ts';
import { systemCode } from '../../lib/system-code.ts';
import { freeBytes, onDisk, usedBytes } from './disk.ts';
import { inspectSpool } from './inspect-spool.ts';
import { readBody, readHead } from './read-response.ts';
import { keyOfResponseFile, responseFileName, unfinishedFileName } from './spool-name.ts';
import { sweepUnfinished } from './sweep-unfinished.ts';
import { writeResponse } from './write-response.ts';

export interface SpoolOptions {
  /** Total size of all responses, in bytes, from which on the spool is full. Default 4 GiB. */
  readonly fullBytes?: number | undefined;
  /** Maximum size of one body, in bytes. Default unlimited. */
  readonly maxBytes?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Called when the spool becomes full and when it accepts responses again. */
  readonly onCapacityChange?: ((hasCapacity: boolean) => void) | undefined;
}

/** Spool that reports its fill level. */
export interface WatchedSpool extends Spool {
  /** Returns the total size of all responses and the size from which on the spool is full, both in bytes. */
  usage(): Promise<{ readonly usedBytes: number; readonly fullBytes: number }>;
  /** Returns the content of the spool. Reads the start of every response. */
  inspect(): Promise<SpoolState>;
}

const defaultFullBytes = 4 * 1024 ** 3;
/** Minimum free space on the disk, in bytes, reserved for the responses of calls in flight. */
const reservedBytes = 512 * 1024 ** 2;
const measureEveryMs = 1_000;

/**
 * Creates a spool that stores each response as a file in one directory. The directory is created before each use, because a
 * cleaner of temporary files or a mount may take it away while the process runs.
 *
 * A response is written under a temporary name, synced and then renamed. Its final name therefore refers to a complete
 * response or to none, whichever process dies at whatever moment. A sweep finishes a response whose writer died after its
 * last byte. Several processes may share the directory.
 *
 * @throws AppError `storage_failed` from every method if the disk fails.
 */
export function createSpool(directory: string, options: SpoolOptions = {}): WatchedSpool {
  const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
  const fullBytes = options.fullBytes ?? defaultFullBytes;
  const clock = options.clock ?? Date.now;
  let prepared: Promise<void> | null = null;
  const writing = new Map<string, Promise<void>>();
  let measured: { at: number; isOpen: boolean } | null = null;

  const sweep = (isWanted: (key: SpoolKey) => Promise<boolean>) =>
    sweepUnfinished({ directory, nowMs: clock(), isWanted });

  const makeFolder = async () => void (await mkdir(directory, { recursive: true, mode: 0o700 }));

  /** Creates the folder, because it may disappear at any time, and sweeps it on first use. */
  async function ready(): Promise<void> {
    await onDisk('prepare', makeFolder);
    prepared ??= onDisk('prepare', () => sweep(async () => true)).catch((error: unknown) => {
      prepared = null;
      throw error;
    });
    await prepared;
  }

  async function write(name: string, head: SpoolHead, body: AsyncIterable<Uint8Array>): Promise<void> {
    await ready();
    const unfinished = join(
      directory,
      unfinishedFileName(name, thisWriter(), randomBytes(8).toString('hex')),
    );
    await writeResponse({ unfinished, final: join(directory, name), head, body, maxBytes, makeFolder });
    await onDisk('write', () => syncFolder(directory));
  }

  return {
    async write(key, head, body) {
      const name = responseFileName(key);
      const work = write(name, head, body);
      writing.set(name, work);
      await work.finally(() => writing.delete(name));
    },

    async open(key) {
      const path = join(directory, responseFileName(key));
      // The first sweep finishes whole responses of an earlier process.
      await (prepared ?? ready());
      const found = await onDisk('read', () => readHead(path));
      if (!found || found.format === 'damaged') return null;
      if (found.format === 'unknown') return found;
      return { format: 'known', head: found.head, body: readBody(path, found.bodyStart) };
    },

    async remove(key) {
      const name = responseFileName(key);
      const path = join(directory, name);
      await writing.get(name)?.catch(() => {});
      await onDisk('remove', () =>
        unlink(path).catch((error: unknown) => {
          if (systemCode(error) !== 'ENOENT') throw error;
        }),
      );
    },

    async hasCapacity() {
      // A measurement that seems to be in the future was made before the clock was set back.
      if (measured && Math.abs(clock() - measured.at) < measureEveryMs) return measured.isOpen;
      await ready();
      const isOpen = await onDisk('measure', async () => {
        const [used, free] = await Promise.all([usedBytes(directory), freeBytes(directory)]);
        return used < fullBytes && free > reservedBytes;
      });
      if (isOpen !== (measured?.isOpen ?? true)) options.onCapacityChange?.(isOpen);
      measured = { at: clock(), isOpen };
      return isOpen;
    },

    async check() {
      await onDisk('prepare', async () => {
        await makeFolder();
        await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
      });
    },

    async usage() {
      await ready();
      return { usedBytes: await onDisk('measure', () => usedBytes(directory)), fullBytes };
    },

    async inspect() {
      await ready();
      const content = await onDisk('inspect', () => inspectSpool(directory));
      return { folder: resolve(directory), limitBytes: fullBytes, ...content };
    },

    async removeUnfinished(isWanted) {
      await ready();
      await onDisk('sweep', () => sweep(isWanted));
    },

    async *list() {
      await ready();
      const faults: unknown[] = [];
      for await (const entry of await onDisk('list', () => opendir(directory))) {
        const key = keyOfResponseFile(entry.name);
        // A file that the disk cannot read must not hide the others.
        const listed = key && (await entryOf(directory, key).catch((error) => void faults.push(error)));
        if (listed) yield listed;
      }
      if (faults.length > 0) throw faults[0];
    },
  };
}

async function entryOf(directory: string, key: SpoolKey): Promise<SpoolEntry | null> {
  const found = await onDisk('read', () => readHead(join(directory, responseFileName(key))));
  // Removed since the directory was read.
  if (!found) return null;
  return found.format === 'known'
    ? { key, format: 'known', provider: found.head.provider }
    : { key, ...found };
}
