import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Returns a name for a living process that a later process with the same pid does not have: the pid and a digest of the
 * start time. Returns undefined if there is no such process or it is a zombie.
 */
export function processIdentity(pid: number): string | undefined {
  const started = process.platform === 'linux' ? startOnLinux(pid) : startFromPs(pid);
  if (started === undefined) return undefined;
  return `${pid}:${createHash('sha256').update(started).digest('hex').slice(0, 16)}`;
}

/** Returns true if the process of an identity is alive. */
export function isAlive(identity: string): boolean {
  return processIdentity(pidOf(identity)) === identity;
}

/** Returns the pid in an identity, or NaN if the text is not one. */
export function pidOf(identity: string): number {
  return Number.parseInt(identity, 10);
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may contain any character, so fields are counted from the last parenthesis.
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [afterName[0], afterName[19]];
    if (state === 'Z' || state === 'X') return undefined;
    return `${startTicks} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')}`;
  } catch {
    return undefined;
  }
}

function startFromPs(pid: number): string | undefined {
  try {
    const output = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    }).trim();
    const [state = 'Z', ...started] = output.split(/\s+/);
    return state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
