import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Exit code or signal of an ended process. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of the fleet. Its standard input is open as long as this process runs. */
export interface RunningChild {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts Node with the given arguments. The environment contains only the given and the few required variables. */
export function startChild(
  args: readonly string[],
  options: { env: Readonly<Record<string, string>>; cwd: string; onLine: (line: string) => void },
): RunningChild {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
  const child = spawn(process.execPath, [...args], {
    cwd: options.cwd,
    env: { PATH, HOME, ...(TMPDIR ? { TMPDIR } : {}), NODE_NO_WARNINGS: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', options.onLine);
  return {
    pid: child.pid ?? 0,
    ended: endOf(child),
    kill: (signal) => void child.kill(signal),
  };
}

/** Resolves when a process has ended and its output was read. */
function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}
