import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writerOfUnfinishedFile } from './spool-name.ts';

/** No living writer pauses for so long: no job may run for more than two hours. */
const idleMs = 3 * 60 * 60 * 1000;
/** Containers have the same process ids again and again, so a living id does not protect a file for ever. */
const abandonedMs = 24 * 60 * 60 * 1000;

/**
 * Removes what dead processes left half written: files not written to for three hours whose process is gone, and any not
 * written to for a day. Files of a living process are left alone.
 */
export async function sweepUnfinished(directory: string, nowMs: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = writerOfUnfinishedFile(name);
    if (pid === null) continue;
    const path = join(directory, name);
    // Another process may sweep at the same time.
    const found = await stat(path).catch(() => null);
    if (!found) continue;
    const ageMs = nowMs - found.mtimeMs;
    if (ageMs > abandonedMs || (ageMs > idleMs && !isAlive(pid))) await unlink(path).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it: it lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
