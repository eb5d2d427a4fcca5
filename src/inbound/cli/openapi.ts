import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** Adds `darkroom openapi`, which prints the document that the service serves. */
export function addOpenapi(program: Command, context: CliContext): void {
  program
    .command('openapi')
    .description('print the OpenAPI document as YAML')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      context.print((await context.openApiDocument(json ? 'json' : 'yaml')).trimEnd());
    });
}
