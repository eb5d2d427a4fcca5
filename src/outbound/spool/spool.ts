import { randomBytes } from 'node:crypto';
import { mkdir, opendir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Spool, SpoolKey } from '../../domain/ports.ts';
import { errorCode, onDisk, syncDirectory } from './disk.ts';
import { readBody, readHead } from './read-answer.ts';
import { answerFileName, keyOfAnswerFile, unfinishedFileName } from './spool-name.ts';
import { sweepUnfinished } from './sweep-unfinished.ts';
import { writeAnswer } from './write-answer.ts';

export interface SpoolOptions {
  /** Largest body taken, in bytes; unlimited by default. */
  readonly maxBytes?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** A spool that can also say what is in it. */
export interface ListedSpool extends Spool {
  /** Keys of all complete answers, in no order. What is written or removed meanwhile may be missing or still there. */
  list(): AsyncIterable<SpoolKey>;
}

/**
 * Answers as files in one directory, which is made when it is first used.
 *
 * An answer is written under another name, synced and then renamed, so that under its own name there is a complete one
 * or none, whatever dies and whenever. Several processes may share the directory.
 *
 * @throws AppError `storage_failed` from every method when the disk does not do its part.
 */
export function createSpool(directory: string, options: SpoolOptions = {}): ListedSpool {
  const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
  const clock = options.clock ?? Date.now;
  let prepared: Promise<void> | null = null;

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

  return {
    async write(key, head, body) {
      const name = answerFileName(key);
      await ready();
      const unfinished = join(
        directory,
        unfinishedFileName(name, process.pid, randomBytes(8).toString('hex')),
      );
      await writeAnswer({ unfinished, final: join(directory, name), head, body, maxBytes });
      await onDisk('write', () => syncDirectory(directory));
    },

    async open(key) {
      const path = join(directory, answerFileName(key));
      const found = await onDisk('read', () => readHead(path));
      return found && { head: found.head, body: readBody(path, found.bodyStart) };
    },

    async remove(key) {
      const path = join(directory, answerFileName(key));
      await onDisk('remove', () =>
        unlink(path).catch((error: unknown) => {
          if (errorCode(error) !== 'ENOENT') throw error;
        }),
      );
    },

    async *list() {
      await ready();
      for await (const entry of await onDisk('list', () => opendir(directory))) {
        const key = keyOfAnswerFile(entry.name);
        if (key) yield key;
      }
    },
  };
}
