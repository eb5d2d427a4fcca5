import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Names a living process so that another one that gets the same pid later has another name: the pid and
 * when the process started. Undefined when there is no such process, or it has ended and only its parent
 * has not noticed yet.
 */
export function processIdentity(pid: number): string | undefined {
  const started = process.platform === 'linux' ? startOnLinux(pid) : startFromPs(pid);
  if (started === undefined) return undefined;
  return `${pid}:${createHash('sha256').update(started).digest('hex').slice(0, 16)}`;
}

/** True while the process so named lives. */
export function isAlive(identity: string): boolean {
  return processIdentity(pidOf(identity)) === identity;
}

/** The pid in an identity; NaN when it is not one. */
export function pidOf(identity: string): number {
  return Number.parseInt(identity, 10);
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name comes in parentheses and may hold anything; proc(5) numbers its fields from 1.
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
