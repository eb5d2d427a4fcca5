import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpoolState } from '../../domain/process-state.ts';
import { usedBytes } from './disk.ts';
import { readHead } from './read-response.ts';
import { keyOfResponseFile } from './spool-name.ts';

/** Returns the content of a spool directory. A response that is removed while the directory is read counts or not. */
export async function inspectSpool(
  directory: string,
): Promise<Pick<SpoolState, 'files' | 'bytes' | 'oldestAt' | 'unknownVersions'>> {
  const responses = (await readdir(directory)).filter((name) => keyOfResponseFile(name));
  const unknown = new Set<number>();
  let oldestAt: number | null = null;
  // Sequential, because a spool with thousands of responses must not open them all at once.
  for (const name of responses) {
    const path = join(directory, name);
    const [head, info] = await Promise.all([readHead(path), stat(path).catch(() => null)]);
    if (head?.format === 'unknown') unknown.add(head.version);
    if (info) oldestAt = Math.min(oldestAt ?? Number.POSITIVE_INFINITY, Math.floor(info.mtimeMs));
  }
  return {
    files: responses.length,
    bytes: await usedBytes(directory),
    oldestAt,
    unknownVersions: [...unknown].sort((a, b) => a - b),
  };
}
