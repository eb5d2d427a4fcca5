import type { Command } from 'commander';
import { isoDay, startOfUtcDay, utcDayOf } from '../../domain/utc-day.ts';
import { type CliContext, table } from './context.ts';
import { checkPeriod, parseTime } from './parse-time.ts';
import { addReconcile } from './reconcile.ts';
import { openClient } from './service-client.ts';

interface UsageOptions {
  tenant?: string;
  from?: number;
  to?: number;
  groupBy: string;
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

  addReconcile(usage, context);
}

async function printUsage(options: UsageOptions, context: CliContext): Promise<void> {
  checkPeriod(options);
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
  const cells = rows.map((row) => columns.map((column) => String(row[column] ?? '-')));
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
