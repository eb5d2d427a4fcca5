import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writerOfUnfinishedFile } from './spool-name.ts';

/** Maximum pause of a living writer, in milliseconds. No job runs for more than two hours. */
const idleMs = 3 * 60 * 60 * 1000;
/** Age in milliseconds after which a running process id no longer protects a file, because containers reuse process ids. */
const abandonedMs = 24 * 60 * 60 * 1000;

/**
 * Removes unfinished files of dead processes: files without a write for three hours whose process has ended, and any file
 * without a write for a day. Files of a running process remain.
 */
export async function sweepUnfinished(directory: string, nowMs: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = writerOfUnfinishedFile(name);
    if (pid === null) continue;
    const path = join(directory, name);
    // The file may be gone, because another process sweeps at the same time.
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
    // EPERM: the process exists and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
