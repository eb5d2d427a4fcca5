import type { Command } from 'commander';
import { type CliContext, table } from './context.ts';

/** `darkroom config`: the effective values and where they come from, secrets hidden. */
export function addConfig(program: Command, context: CliContext): void {
  program
    .command('config')
    .description('show the effective configuration with its sources, secrets hidden')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => {
      const values = context.describeConfig();
      if (options.json) return context.print(JSON.stringify(values));
      // Values last, since some are long.
      const rows = values.map(({ name, value, source }) => [name, source, value]);
      context.print(table([['VARIABLE', 'SOURCE', 'VALUE'], ...rows]));
    });
}
