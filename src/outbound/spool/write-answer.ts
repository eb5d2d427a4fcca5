import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { AppError } from '../../domain/errors.ts';
import type { AnswerHead } from '../../domain/ports.ts';
import { onDisk } from './disk.ts';
import { headLine } from './head-line.ts';

interface Writing {
  readonly unfinished: string;
  readonly final: string;
  readonly head: AnswerHead;
  readonly body: AsyncIterable<Uint8Array>;
  readonly maxBytes: number;
}

/**
 * Writes an answer to its unfinished name, syncs it and gives it its final name. Holds one chunk at a time.
 *
 * What the body throws comes out as it is; then, and after any error, the unfinished file is removed.
 */
export async function writeAnswer(writing: Writing): Promise<void> {
  const handle = await onDisk('write', () => open(writing.unfinished, 'wx', 0o600));
  try {
    await fill(handle, writing);
    await onDisk('write', () => handle.sync());
    await onDisk('write', () => handle.close());
    await onDisk('write', () => rename(writing.unfinished, writing.final));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await unlink(writing.unfinished).catch(() => undefined);
    throw error;
  }
}

async function fill(handle: FileHandle, { head, body, maxBytes }: Writing): Promise<void> {
  await onDisk('write', () => writeAll(handle, headLine(head)));
  let total = 0;
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > maxBytes) {
      throw new AppError('storage_failed', {
        detail: `An answer is larger than the ${maxBytes} bytes the spool takes.`,
      });
    }
    await onDisk('write', () => writeAll(handle, chunk));
  }
}

/** One write may take less than it is given. */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done);
    done += bytesWritten;
  }
}
