import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { compiledProgram, endOf, systemEnvironment } from './service-process.ts';

/** What a command did. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `darkroom` with arguments until it ends.
 *
 * @param options `env`: all variables it gets, besides the few every process needs; `cwd`: where it runs, which should
 * not be the folder of the project, since a `.env` there would count; `terminal`: run it on one (Linux only), so that all
 * it prints comes as `stdout`.
 */
export async function runCommand(
  args: readonly string[],
  options: { cwd: string; env?: Readonly<Record<string, string>>; input?: string; terminal?: boolean },
): Promise<CommandResult> {
  const direct = [process.execPath, compiledProgram('main'), ...args];
  const [program = '', ...rest] = options.terminal ? onTerminal(direct) : direct;
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { ...systemEnvironment(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.input ?? '');
  const [{ code }, stdout, stderr] = await Promise.all([
    endOf(child),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

/** `script` of util-linux gives a command a terminal and passes on how it ended. */
function onTerminal(command: readonly string[]): string[] {
  const quoted = command.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  return ['script', '--quiet', '--return', '--command', quoted, '/dev/null'];
}
