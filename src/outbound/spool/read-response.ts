import { open } from 'node:fs/promises';
import type { ResponseMeta } from '../../domain/ports.ts';
import { systemCode } from '../../lib/system-code.ts';
import { onDisk } from './disk.ts';
import { maxHeadLineBytes, parseHead } from './head-line.ts';

const chunkBytes = 256 * 1024;

/** Reads the head of an answer; `null` when there is no complete answer under that path. */
export async function readHead(path: string): Promise<{ head: ResponseMeta; bodyStart: number } | null> {
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

/** Reads the body of an answer. The file is open only while it is read, so an answer that nobody reads holds nothing. */
export async function* readBody(
  path: string,
  bodyStart: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await onDisk('read', () => open(path, 'r'));
  try {
    let at = bodyStart;
    while (true) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await onDisk('read', () => handle.read(chunk, 0, chunkBytes, at));
      if (bytesRead === 0) return;
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
