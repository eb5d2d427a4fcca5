import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../../../../src/inbound/cli/context.ts';
import { createProgram } from '../../../../src/inbound/cli/program.ts';

/** Parses a command line and returns the reason of its refusal. Rejects if the command would run. */
async function refusalOf(...args: string[]): Promise<string> {
  const program = createProgram({ version: '0.0.0' } as CliContext);
  const lines: string[] = [];
  const overrideExit = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: (line) => lines.push(line) });
    command.commands.forEach(overrideExit);
  };
  overrideExit(program);
  await expect(program.parseAsync(args, { from: 'user' })).rejects.toMatchObject({
    code: 'commander.invalidArgument',
    exitCode: 1,
  });
  return lines.join('\n');
}

describe('options of commands', () => {
  it.each(['0', '-1', '3651', 'soon', '1e3'])('keys create refuses a lifetime of %s days', async (days) => {
    const refusal = await refusalOf('keys', 'create', '--tenant', 'acme', `--expires-in-days=${days}`);
    expect(refusal).toContain('for example 90 or 0.5');
  });

  it.each(['0', '99', '100', '600', '1000'])('webhooks listen refuses the status %s', async (status) => {
    expect(await refusalOf('webhooks', 'listen', '--answer', status)).toContain('from 200 to 599');
  });

  it.each([
    ['jobs', 'get'],
    ['jobs', 'cancel'],
    ['jobs', 'retry'],
    ['jobs', 'erase'],
    ['jobs', 'open'],
    ['keys', 'rotate'],
    ['keys', 'revoke'],
    ['webhooks', 'replay'],
    ['webhooks', 'replay', '--endpoint'],
    ['webhooks', 'trigger', 'webhook.test', '--endpoint'],
  ])('%s %s refuses a text that is no id, before any call', async (...command) => {
    for (const id of ['', ' ', '../keys', 'img_1?x=1']) {
      expect(await refusalOf(...command, id)).toContain('must be an id');
    }
  });
});
