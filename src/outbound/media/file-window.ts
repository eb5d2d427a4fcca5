import type { FileHandle } from 'node:fs/promises';

/** Random access to the bytes of a file with a small buffer. */
export interface FileWindow {
  readonly sizeBytes: number;
  /** Returns bytes from a position on. The result is shorter at the end of the file, and valid until the next call. */
  at(position: number, length: number): Promise<Buffer>;
}

/** Maximum length of one result, in bytes. */
export const windowBytes = 256 * 1024;

/** Opens a window onto a file. Holds 256 KiB, whatever the size of the file. */
export async function openWindow(handle: FileHandle): Promise<FileWindow> {
  const { size } = await handle.stat();
  const memory = Buffer.allocUnsafe(windowBytes);
  let start = 0;
  let end = 0;

  async function load(position: number): Promise<void> {
    let filled = 0;
    while (filled < windowBytes) {
      const { bytesRead } = await handle.read(memory, filled, windowBytes - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    start = position;
    end = position + filled;
  }

  async function at(position: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, windowBytes);
    const isHeld = position >= start && (position + wanted <= end || (end === size && position <= end));
    if (!isHeld) await load(position);
    const offset = position - start;
    return memory.subarray(offset, Math.min(offset + wanted, end - start));
  }

  return { sizeBytes: size, at };
}
