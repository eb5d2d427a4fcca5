import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** Process that writes a file. The machine is part of it, because process ids mean nothing on another one. */
export interface FileWriter {
  /** Eight hexadecimal digits that name the machine or container. */
  readonly machine: string;
  readonly pid: number;
}

/** Maximum pause of a writer on another machine, in milliseconds. No job runs for more than two hours. */
const idleMs = 3 * 60 * 60 * 1000;
/** Age in milliseconds after which a running process id no longer protects a file, because machines reuse process ids. */
const abandonedMs = 24 * 60 * 60 * 1000;

/** Returns this process as a writer. Containers have host names of their own. */
export function thisWriter(): FileWriter {
  const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  return { machine, pid: process.pid };
}

/**
 * Returns whether the writer of a file is dead. A writer on this machine is dead if its process has ended. A writer on
 * another machine counts as dead after three hours without a write.
 *
 * @param ageMs time since the last write.
 */
export function isAbandoned(writer: FileWriter, ageMs: number): boolean {
  const self = thisWriter();
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
