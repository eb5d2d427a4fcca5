import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import type { Reconciliation, SettledByBill } from '../../domain/bill.ts';
import { parseBill } from '../../usecases/usage/parse-bill.ts';
import type { CliContext } from './context.ts';
import { describeFailure } from './describe-failure.ts';
import { describeReconciliation, type SettleResult, viewReconciliation } from './describe-reconciliation.ts';
import { checkPeriod, parseTime } from './parse-time.ts';
import type { UsageTools } from './usage-tools.ts';

interface ReconcileOptions {
  costs: string[];
  provider?: string;
  from?: number;
  to?: number;
  settle?: boolean;
  json?: boolean;
}

/** Adds `darkroom usage reconcile`. */
export function addReconcile(usage: Command, context: CliContext): void {
  usage
    .command('reconcile')
    .description(
      "compare the ledger with the provider's export; exits with 1 if they differ or a possible charge stays unknown",
    )
    .requiredOption('--costs <file...>', 'exports of costs or usage: JSON of the API, or CSV (required)')
    .option('--provider <name>', 'provider that sent the bill; default the only one of the ledger')
    .option('--from <date>', 'start of the compared period; default that of the export', parseTime)
    .option('--to <date>', 'end of the compared period, exclusive; default that of the export', parseTime)
    .option(
      '--settle',
      'settle the possible charges whose amount the bill states, and as free those that a complete bill lacks',
    )
    .option('--json', 'print JSON')
    .action((_options: unknown, command: Command) =>
      reconcileFiles(command.optsWithGlobals<ReconcileOptions>(), context),
    );
}

async function reconcileFiles(options: ReconcileOptions, context: CliContext): Promise<void> {
  checkPeriod(options);
  const entries = options.costs.flatMap((file) => parseFile(file));
  const bill = {
    ...{ provider: options.provider, fromMs: options.from, toMs: options.to },
    asOfMs: exportTimeOf(options.costs),
  };
  const { compared, settled } = await context.withUsage(async (tools) => {
    const result = await tools.reconcileBill(entries, bill);
    return { compared: result, settled: options.settle ? await settleEach(tools, result.settles) : null };
  });
  if (options.json) context.print(JSON.stringify(viewReconciliation(compared, settled)));
  else context.print(describeReconciliation(compared, settled));
  if (isOpen(compared) || settled?.some(({ error }) => error !== null)) process.exitCode = 1;
}

const isOpen = ({ findings, unknown }: Reconciliation): boolean => findings.length > 0 || unknown.length > 0;

/** Settles charges one after the other. A charge that cannot be settled does not stop the others. */
async function settleEach(tools: UsageTools, settles: readonly SettledByBill[]): Promise<SettleResult[]> {
  const results: SettleResult[] = [];
  for (const { call, microUsd } of settles) {
    const error = await tools.settle(call, microUsd).then(
      () => null,
      (failure: unknown) => describeFailure(failure),
    );
    results.push({ call, microUsd, error });
  }
  return results;
}

/** Returns the time of the oldest file, because a bill has no charges after its export. */
function exportTimeOf(files: readonly string[]): number {
  const times = files
    .map((file) => statSync(file))
    .map((stat) => (stat.isFile() ? stat.mtimeMs : Date.now()));
  return Math.min(Date.now(), ...times);
}

function parseFile(file: string) {
  try {
    return parseBill(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
