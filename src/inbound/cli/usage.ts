import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { BookedCall, Finding, Reconciliation } from '../../domain/bill.ts';
import { isoDay, startOfUtcDay, utcDayOf } from '../../domain/utc-day.ts';
import { parseBill } from '../../usecases/usage/parse-bill.ts';
import { type CliContext, table } from './context.ts';
import { printable } from './printable.ts';
import { openClient } from './service-client.ts';

interface UsageOptions {
  tenant?: string;
  from?: number;
  to?: number;
  groupBy: string;
  json?: boolean;
}

interface ReconcileOptions {
  costs: string[];
  provider: string;
  from?: number;
  to?: number;
  settle?: boolean;
  json?: boolean;
}

const defaultDays = 30;

/** Adds `darkroom usage` and `darkroom usage reconcile`. */
export function addUsage(program: Command, context: CliContext): void {
  const usage = program
    .command('usage')
    .description('show usage by day, model, key, provider or metadata')
    .option(
      '--tenant <tenant>',
      'only one tenant, from Redis; default all, or with DARKROOM_URL alone that of the key',
    )
    .option('--from <date>', `first day or time, UTC; default ${defaultDays} days ago`, parseTime)
    .option('--to <date>', 'end, exclusive; default now', parseTime)
    .option('--group-by <list>', 'day,model,key,provider,metadata.x', 'day,model')
    .option('--json', 'print JSON')
    .action((options: UsageOptions) => printUsage(options, context));

  usage
    .command('reconcile')
    .description("compare the ledger with the provider's export; exits with 1 if they differ")
    .requiredOption('--costs <file...>', 'exports of costs or usage: JSON of the API, or CSV (required)')
    .option('--provider <name>', 'provider that sent the bill', 'openai')
    .option('--from <date>', 'start of the compared period; default that of the export', parseTime)
    .option('--to <date>', 'end of the compared period, exclusive', parseTime)
    .option('--settle', 'settle the possible charges whose amount the bill states')
    .option('--json', 'print JSON')
    .action((_options: unknown, command: Command) =>
      reconcileFiles(command.optsWithGlobals<ReconcileOptions>(), context),
    );
}

async function printUsage(options: UsageOptions, context: CliContext): Promise<void> {
  const nowMs = Date.now();
  const fromDay = utcDayOf(options.from ?? nowMs - startOfUtcDay(defaultDays));
  const toDay = utcDayOf((options.to ?? nowMs + 1) - 1) + 1;
  const isOfKey = options.tenant === undefined && context.isRemote();
  const rows = isOfKey
    ? await rowsOfKey(context, { fromDay, toDay, groupBy: options.groupBy })
    : await rowsOfTenants(context, { fromDay, toDay, groupBy: options.groupBy, tenant: options.tenant });
  if (options.json) return context.print(JSON.stringify(rows));
  if (rows.length === 0) return context.print('No usage in this period.');
  const columns = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => columns.map((column) => printable(String(row[column] ?? '-'))));
  context.print(table([columns.map((column) => column.toUpperCase()), ...cells]));
}

type Row = Record<string, string | number | null>;
interface Query {
  readonly fromDay: number;
  readonly toDay: number;
  readonly groupBy: string;
}

/** Returns the usage of the key's tenant, from the API. */
async function rowsOfKey(context: CliContext, { fromDay, toDay, groupBy }: Query): Promise<Row[]> {
  const { client } = await openClient(context);
  const { getUsage } = await import('../../../clients/typescript/src/generated/index.ts');
  const query = { from: isoDay(fromDay), to: isoDay(toDay), group_by: groupBy };
  const { data } = await getUsage({ client, query, throwOnError: true });
  if (typeof data === 'string') throw new Error('The service sent no JSON.');
  return data.data.map(({ metadata, ...sums }) => ({ ...sums, ...columnsOf(metadata) }));
}

/** Returns the metadata of a group as columns. */
const columnsOf = (metadata: Readonly<Record<string, string | null>> = {}): Row =>
  Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`metadata.${key}`, value]));

/** Returns the usage of tenants, from Redis. */
async function rowsOfTenants(
  context: CliContext,
  { tenant: only, fromDay, toDay, groupBy }: Query & { readonly tenant: string | undefined },
): Promise<Row[]> {
  return context.withUsage(async (tools) => {
    const tenants = only === undefined ? (await tools.tenants()).sort() : [only];
    const all: Row[] = [];
    for (const tenant of tenants) {
      const report = await tools.reportUsage(tenant, { fromDay, toDay, groupBy });
      for (const { day, keyId, metadata, sums, ...group } of report.parts.flat()) {
        all.push({
          tenant,
          ...(day === undefined ? {} : { day: isoDay(day) }),
          ...group,
          ...(keyId === undefined ? {} : { key_id: keyId }),
          ...columnsOf(metadata),
          ...sums,
        });
      }
    }
    return all;
  });
}

async function reconcileFiles(options: ReconcileOptions, context: CliContext): Promise<void> {
  const entries = options.costs.flatMap((file) => parseFile(file));
  const period =
    options.from !== undefined && options.to !== undefined
      ? { fromMs: options.from, toMs: options.to }
      : undefined;
  const result = await context.withUsage(async (tools) => {
    const compared = await tools.reconcileBill(entries, { provider: options.provider, period });
    if (options.settle) {
      for (const { call, microUsd } of compared.settles) await tools.settle(call, microUsd);
    }
    return compared;
  });
  if (options.json) context.print(JSON.stringify(viewOf(result, options.settle === true)));
  else printResult(result, options.settle === true, context);
  if (result.findings.length > 0) process.exitCode = 1;
}

function parseFile(file: string) {
  try {
    return parseBill(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const viewCall = ({ id, tenant, jobId }: BookedCall) => ({ id, tenant, job_id: jobId });

function viewOf(result: Reconciliation, isSettled: boolean) {
  return {
    billed_micro_usd: result.billedMicroUsd,
    booked_micro_usd: result.bookedMicroUsd,
    explained_micro_usd: result.explainedMicroUsd,
    findings: result.findings.map(({ calls, ...finding }) => ({ ...finding, calls: calls.map(viewCall) })),
    settles: result.settles.map(({ call, microUsd }) => ({ ...viewCall(call), micro_usd: microUsd })),
    settled: isSettled,
  };
}

const usd = (microUsd: number): string => (microUsd / 1e6).toFixed(6);

function printResult(result: Reconciliation, isSettled: boolean, { print }: CliContext): void {
  print(`billed     ${usd(result.billedMicroUsd)} USD`);
  print(`in ledger  ${usd(result.bookedMicroUsd)} USD`);
  print(`explained  ${usd(result.explainedMicroUsd)} USD`);
  if (result.findings.length > 0) {
    print(
      `\n${table([['FINDING', 'ROW', 'MODEL', 'DIFFERENCE', 'CALLS'], ...result.findings.map(findingRow)])}`,
    );
  }
  if (result.settles.length > 0) {
    const rows = result.settles.map(({ call, microUsd }) => [
      call.tenant,
      call.jobId,
      call.id,
      usd(microUsd),
    ]);
    print(`\n${table([['TENANT', 'JOB', isSettled ? 'SETTLED' : 'POSSIBLE CHARGE', 'USD'], ...rows])}`);
    if (!isSettled) print('\nRepeat the command with --settle to settle these charges.');
  }
  if (result.findings.length === 0) print('\nBill and ledger are equal.');
}

function findingRow({ kind, row, model, difference, calls }: Finding): string[] {
  const amount = kind === 'request_count_differs' ? `${difference} requests` : `${usd(difference)} USD`;
  return [kind, String(row ?? '-'), model ?? '-', amount, calls.map(({ id }) => id).join(' ') || '-'];
}

function parseTime(text: string): number {
  const ms = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError('must be a date as 2026-11-01, or a time.');
  return ms;
}
