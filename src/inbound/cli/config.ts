import type { Command } from 'commander';
import { type CliContext, table } from './context.ts';

/** Adds `darkroom config`, which prints the effective values with their sources, secrets hidden. */
export function addConfig(program: Command, context: CliContext): void {
  program
    .command('config')
    .description('show the effective configuration with its sources, secrets hidden')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => {
      const values = context.describeConfig();
      if (options.json) return context.print(JSON.stringify(values));
      // The value is the last column, because some values are long.
      const rows = values.map(({ name, value, source }) => [name, source, value]);
      context.print(table([['VARIABLE', 'SOURCE', 'VALUE'], ...rows]));
    });
}
