import { createHash } from 'node:crypto';
import { readdir, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { SpoolKey } from '../../domain/ports.ts';
import { parseUnfinishedFile, type Writer } from './spool-name.ts';

/** Maximum pause of a writer on another machine, in milliseconds. No job runs for more than two hours. */
const idleMs = 3 * 60 * 60 * 1000;
/** Age in milliseconds after which a running process id no longer protects a file, because machines reuse process ids. */
const abandonedMs = 24 * 60 * 60 * 1000;

/** Returns this process as a writer. Containers have host names of their own. */
export function thisWriter(): Writer {
  const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  return { machine, pid: process.pid };
}

interface Sweep {
  readonly directory: string;
  readonly nowMs: number;
  /** Whether the response is wanted. An unwanted one is removed even if its writer lives, which then fails to finish it. */
  readonly isWanted: (key: SpoolKey) => Promise<boolean>;
}

/**
 * Removes unfinished files without a living writer, and those of unwanted responses. A writer on this machine is dead if its
 * process has ended. A writer on another machine counts as dead after three hours without a write.
 */
export async function sweepUnfinished({ directory, nowMs, isWanted }: Sweep): Promise<void> {
  const self = thisWriter();
  for (const name of await readdir(directory)) {
    const unfinished = parseUnfinishedFile(name);
    if (!unfinished) continue;
    const path = join(directory, name);
    // The file may be gone, because another process sweeps at the same time.
    const found = await stat(path).catch(() => null);
    if (!found) continue;
    const isDead = isAbandoned(unfinished.writer, self, nowMs - found.mtimeMs);
    if (isDead || !(await isWanted(unfinished.key))) await unlink(path).catch(() => undefined);
  }
}

function isAbandoned(writer: Writer, self: Writer, ageMs: number): boolean {
  if (writer.machine !== self.machine) return ageMs > idleMs;
  // A restarted container has the same process id, and its new process never wrote to a file before it started.
  if (writer.pid === self.pid) return ageMs > process.uptime() * 1000;
  return ageMs > abandonedMs || !isAlive(writer.pid);
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
