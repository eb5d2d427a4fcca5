import { open } from 'node:fs/promises';
import { systemCode } from '../../lib/system-code.ts';
import { onDisk } from './disk.ts';
import { maxHeadLineBytes, type ParsedHead, parseHead } from './head-line.ts';

const chunkBytes = 256 * 1024;

/** Reads the head of a spool file. Returns `null` if the file does not exist. */
export async function readHead(path: string): Promise<ParsedHead | null> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (!handle) return null;
  try {
    const start = Buffer.alloc(maxHeadLineBytes);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    return parseHead(start.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** Reads the body of a spool file. The file is open only during the iteration, so an unused body holds no resources. */
export async function* readBody(
  path: string,
  bodyStart: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await onDisk('read', () => open(path, 'r'));
  try {
    let position = bodyStart;
    while (true) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await onDisk('read', () => handle.read(chunk, 0, chunkBytes, position));
      if (bytesRead === 0) return;
      position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
