import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { AppError } from '../../domain/errors.ts';
import type { SpoolHead } from '../../domain/ports.ts';
import { systemCode } from '../../lib/system-code.ts';
import { onDisk } from './disk.ts';
import { headLine } from './head-line.ts';
import { wholeFileName } from './spool-name.ts';

interface Writing {
  readonly unfinished: string;
  readonly final: string;
  readonly head: SpoolHead;
  readonly body: AsyncIterable<Uint8Array>;
  readonly maxBytes: number;
  /** Creates the folder of both names. */
  readonly makeFolder: () => Promise<void>;
}

/** Chunks are collected to this size, because chunks are small and each write is a round trip to another thread. */
const pieceBytes = 256 * 1024;

/**
 * Writes a response to its unfinished name, syncs it and renames it to its final name. Until it is synced, its name states
 * that it is whole, because a sync may take long and the response of a killed process must not be paid for again. Holds at most
 * two pieces in memory: one is written while the next one arrives. If the folder disappears, the response is written again from
 * the open file.
 *
 * @throws what the body throws, unchanged. After any error the unfinished file is removed.
 */
export async function writeResponse(writing: Writing): Promise<void> {
  const handle = await onDisk('write', () => open(writing.unfinished, 'wx+', 0o600));
  let { unfinished } = writing;
  try {
    await fill(handle, writing);
    unfinished = await markWhole(unfinished);
    await onDisk('write', () => handle.sync());
    await onDisk('write', () => publish(handle, { ...writing, unfinished }));
    await onDisk('write', () => handle.close());
  } catch (error) {
    await handle.close().catch(() => undefined);
    await unlink(unfinished).catch(() => undefined);
    throw error;
  }
}

/** Renames a file whose last byte is written. Returns its name, which stays if the folder has disappeared. */
async function markWhole(unfinished: string): Promise<string> {
  const whole = wholeFileName(unfinished);
  try {
    await rename(unfinished, whole);
    return whole;
  } catch {
    // A network disk may report a failure of a rename that has happened.
    await unlink(whole).catch(() => undefined);
    return unfinished;
  }
}

/** Renames a complete file to its final name. */
async function publish(handle: FileHandle, writing: Writing): Promise<void> {
  try {
    await rename(writing.unfinished, writing.final);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await writing.makeFolder();
    await copyOpenFile(handle, writing.unfinished);
    await rename(writing.unfinished, writing.final);
  }
}

/** Copies a file whose name is gone, but whose bytes stay until it is closed. */
async function copyOpenFile(handle: FileHandle, path: string): Promise<void> {
  const copy = await open(path, 'wx', 0o600);
  try {
    for (let position = 0; ; ) {
      const { bytesRead, buffer } = await handle.read(
        Buffer.allocUnsafe(pieceBytes),
        0,
        pieceBytes,
        position,
      );
      if (bytesRead === 0) break;
      await writeAll(copy, [buffer.subarray(0, bytesRead)]);
      position += bytesRead;
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
}

async function fill(handle: FileHandle, { head, body, maxBytes }: Writing): Promise<void> {
  let piece: Uint8Array[] = [headLine(head)];
  let pieceSize = 0;
  let writing: Promise<void> = Promise.resolve();
  async function writePiece(): Promise<void> {
    await writing;
    const chunks = piece;
    piece = [];
    pieceSize = 0;
    writing = onDisk('write', () => writeAll(handle, chunks));
    // The next piece awaits this write and rejects with its error. The handler prevents an unhandled rejection until then.
    writing.catch(() => {});
  }

  let total = 0;
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > maxBytes) {
      throw new AppError('storage_failed', {
        detail: `A provider response exceeds the limit of ${maxBytes} bytes.`,
      });
    }
    piece.push(chunk);
    pieceSize += chunk.byteLength;
    if (pieceSize >= pieceBytes) await writePiece();
  }
  await writePiece();
  await writing;
}

/** Writes all chunks. A single `writev` may write only a part of them. */
async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let { bytesWritten } = await handle.writev(chunks);
  for (const chunk of chunks) {
    while (bytesWritten < chunk.byteLength) {
      const rest = await handle.write(chunk, bytesWritten);
      bytesWritten += rest.bytesWritten;
    }
    bytesWritten -= chunk.byteLength;
  }
}
