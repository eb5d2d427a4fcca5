import { randomBytes } from 'node:crypto';
import { mkdir, opendir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, ResponseMeta, Spool } from '../../domain/ports.ts';
import { syncFolder } from '../../lib/sync-folder.ts';
import { systemCode } from '../../lib/system-code.ts';
import { freeBytes, onDisk, usedBytes } from './disk.ts';
import { readBody, readHead } from './read-response.ts';
import { keyOfResponseFile, responseFileName, unfinishedFileName } from './spool-name.ts';
import { sweepUnfinished } from './sweep-unfinished.ts';
import { writeResponse } from './write-response.ts';

export interface SpoolOptions {
  /** Bytes of all answers together from which on there is no room for another; 4 GiB by default. */
  readonly fullBytes?: number | undefined;
  /** Largest body taken, in bytes; unlimited by default. */
  readonly maxBytes?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Hears when there is no room for another answer any more, and when there is again. */
  readonly onRoom?: ((hasRoom: boolean) => void) | undefined;
}

/** A spool whose filling can be watched. */
export interface WatchedSpool extends Spool {
  /** Bytes of all answers, and the number from which on there is no room for another. */
  usage(): Promise<{ readonly usedBytes: number; readonly fullBytes: number }>;
}

const defaultFullBytes = 4 * 1024 ** 3;
/** What must stay free on the disk, for the answers that are on their way. */
const reservedBytes = 512 * 1024 ** 2;
const measureEveryMs = 1_000;

/**
 * Answers as files in one directory, which is made when it is first used.
 *
 * An answer is written under another name, synced and then renamed, so that under its own name there is a complete one
 * or none, whatever dies and whenever. Several processes may share the directory.
 *
 * @throws AppError `storage_failed` from every method when the disk does not do its part.
 */
export function createSpool(directory: string, options: SpoolOptions = {}): WatchedSpool {
  const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
  const fullBytes = options.fullBytes ?? defaultFullBytes;
  const clock = options.clock ?? Date.now;
  let prepared: Promise<void> | null = null;
  const writing = new Map<string, Promise<void>>();
  let measured: { at: number; room: boolean } | null = null;

  async function prepare(): Promise<void> {
    await onDisk('prepare', async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await sweepUnfinished(directory, clock());
    });
  }

  function ready(): Promise<void> {
    prepared ??= prepare().catch((error: unknown) => {
      prepared = null;
      throw error;
    });
    return prepared;
  }

  async function write(name: string, head: ResponseMeta, body: AsyncIterable<Uint8Array>): Promise<void> {
    await ready();
    const unfinished = join(directory, unfinishedFileName(name, process.pid, randomBytes(8).toString('hex')));
    await writeResponse({ unfinished, final: join(directory, name), head, body, maxBytes });
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
      const found = await onDisk('read', () => readHead(path));
      return found && { head: found.head, body: readBody(path, found.bodyStart) };
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

    async hasRoom() {
      await ready();
      if (measured && clock() - measured.at < measureEveryMs) return measured.room;
      const room = await onDisk('measure', async () => {
        const [used, free] = await Promise.all([usedBytes(directory), freeBytes(directory)]);
        return used < fullBytes && free > reservedBytes;
      });
      if (room !== (measured?.room ?? true)) options.onRoom?.(room);
      measured = { at: clock(), room };
      return room;
    },

    async usage() {
      await ready();
      return { usedBytes: await onDisk('measure', () => usedBytes(directory)), fullBytes };
    },

    async *list() {
      await ready();
      for await (const entry of await onDisk('list', () => opendir(directory))) {
        const key = keyOfResponseFile(entry.name);
        if (key) yield key;
      }
    },
  };
}
