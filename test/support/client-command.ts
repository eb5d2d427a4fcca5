import { type Command, CommanderError } from 'commander';
import type { CliContext } from '../../src/inbound/cli/context.ts';
import { describeFailure } from '../../src/inbound/cli/describe-failure.ts';
import { createProgram } from '../../src/inbound/cli/program.ts';
import { packageVersion } from '../../src/lib/package-version.ts';
import type { CommandResult } from './command-line.ts';

/**
 * Runs a command that only calls a service in this process, because the start of a process takes most of the CPU time of a
 * command. Use `runCommand` for everything that belongs to a process: settings, its folder, terminals, pipes and signals. Run
 * such commands one after the other, because they share the exit code of this process.
 *
 * @param more further parts of the context, for commands that do more than call the service.
 */
export async function runClientCommand(
  args: readonly string[],
  service: { url: string; apiKey: string },
  more: Partial<CliContext> = {},
): Promise<CommandResult> {
  const output = { stdout: '', stderr: '' };
  const print = (stream: 'stdout' | 'stderr') => (line: string) => {
    output[stream] += `${line}\n`;
  };
  // The rest of the context is for commands that need settings or a terminal.
  const context = {
    version: packageVersion(),
    print: print('stdout'),
    printed: async () => undefined,
    printError: print('stderr'),
    drawsProgress: () => false,
    imageProtocol: () => undefined,
    openLink: async () => undefined,
    client: () => service,
    isRemote: () => true,
    ...more,
  } satisfies Partial<CliContext> as unknown as CliContext;
  const program = createProgram(context);
  throwInsteadOfExit(program, output);
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = 1;
    if (!(error instanceof CommanderError)) context.printError(describeFailure(error));
  }
  const code = Number(process.exitCode ?? 0);
  process.exitCode = before;
  return { code, ...output };
}

function throwInsteadOfExit(command: Command, output: { stderr: string }): void {
  command.exitOverride().configureOutput({
    writeErr(text) {
      output.stderr += text;
    },
  });
  for (const each of command.commands) throwInsteadOfExit(each, output);
}
