import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** Adds `darkroom serve`, which runs the roles of ROLES. */
export function addServe(program: Command, context: CliContext): void {
  program
    .command('serve')
    .description('run the service; needs REDIS_URL and SECRETS_KEY, see docs/configuration.md')
    .action(async () => {
      await context.runService('serve', { say: (line) => context.printError(line) });
    });
}
