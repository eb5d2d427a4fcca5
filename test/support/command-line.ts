import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { compiledProgram, endOf, systemEnvironment } from './service-process.ts';

/** Exit code and output of a command. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `darkroom` with arguments until it ends.
 *
 * @param options `env`: all variables besides those of `systemEnvironment`. `cwd`: the working folder; not the project
 * folder, because the command would read a `.env` file there. `terminal`: runs the command on a terminal (Linux only), so
 * that all output is `stdout`.
 */
export async function runCommand(
  args: readonly string[],
  options: {
    cwd: string;
    env?: Readonly<Record<string, string>>;
    input?: string | Uint8Array;
    terminal?: boolean;
  },
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

/** Wraps a command in `script` of util-linux, which provides a terminal and returns the exit code of the command. */
function onTerminal(command: readonly string[]): string[] {
  const quoted = command.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  return ['script', '--quiet', '--return', '--command', quoted, '/dev/null'];
}
