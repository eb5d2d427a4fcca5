import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { printable } from './printable.ts';

/** Adds `darkroom doctor`, which checks every dependency and prints remedies. */
export function addDoctor(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('check configuration, Redis, storage and provider, and print what to do')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const findings = await context.diagnose();
      if (options.json) context.print(JSON.stringify(findings));
      else
        for (const { ok, name, detail } of findings)
          context.print(`${ok ? 'ok  ' : 'FAIL'}  ${name}: ${printable(detail)}`);
      if (findings.some((finding) => !finding.ok)) process.exitCode = 1;
    });
}
