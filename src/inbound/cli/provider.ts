import type { Command } from 'commander';
import { errorRow } from '../../domain/errors.ts';
import type { OpenBreaker } from '../../domain/ports.ts';
import { type CliContext, table } from './context.ts';

/** Adds `darkroom provider status|resume`. */
export function addProvider(program: Command, context: CliContext): void {
  const provider = program
    .command('provider')
    .description('show and lift blocks of provider accounts and models');

  provider
    .command('status')
    .description('list the blocked scopes with the reason and the time of the next probe')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const open = await context.withBreaker((breaker) => breaker.list());
      if (options.json) return context.print(JSON.stringify(open.map(shown)));
      if (open.length === 0) return context.print('No scope is blocked.');
      const rows = open
        .map(shown)
        .map((each) => [each.scope, each.code, each.blocked_since, each.next_probe_at, each.reason]);
      context.print(table([['SCOPE', 'CODE', 'SINCE', 'NEXT PROBE', 'REASON'], ...rows]));
    });

  provider
    .command('resume <scope>')
    .description('lift the block of a scope, for example openai:account; the next job calls at once')
    .option('--json', 'print JSON')
    .action(async (scope: string, options: { json?: boolean }) => {
      const wasBlocked = await context.withBreaker((breaker) => breaker.resume(scope));
      if (options.json) return context.print(JSON.stringify({ scope, was_blocked: wasBlocked }));
      context.print(wasBlocked ? `${scope} is not blocked any more.` : `${scope} was not blocked.`);
    });
}

function shown({ scope, code, openedAtMs, nextProbeAtMs, untilMs, failures }: OpenBreaker) {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    scope,
    code,
    reason: errorRow(code).title,
    blocked_since: iso(openedAtMs),
    next_probe_at: iso(nextProbeAtMs),
    blocked_until: untilMs === null ? null : iso(untilMs),
    failures,
  };
}
