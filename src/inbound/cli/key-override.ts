import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BudgetWindow, budgetWindows } from '../../domain/access-policy.ts';
import type { BudgetOverrideView } from '../../domain/budget-override.ts';
import { maxMicroUsd } from '../../domain/policy-body.ts';
import { commandLineManager as manager } from '../../usecases/access/manager.ts';
import { type CliContext, type KeyTools, table } from './context.ts';
import { parseId } from './id-argument.ts';
import { wholeNumber } from './numbers.ts';
import { parseTime } from './parse-time.ts';
import { withKey } from './with-key.ts';

interface OverrideOptions {
  amountMicroUsd?: number;
  until?: number;
  window?: BudgetWindow;
  end?: boolean;
  json?: boolean;
}

/** Adds `darkroom keys override`, which lists, adds and ends the raises of a key's budgets. */
export function addOverride(keys: Command, context: CliContext): void {
  keys
    .command('override')
    .description('raise the budgets of a key until a time; without options, list the raises that apply')
    .argument('<id>', 'id of the key', parseId)
    .option(
      '--amount-micro-usd <amount>',
      'amount that is added to the limits',
      wholeNumber(1, Math.min(maxMicroUsd, 1e14)),
    )
    .option('--until <time>', 'date or time (UTC) until which the raise applies', parseFuture)
    .addOption(
      new Option('--window <window>', 'raise only the budgets of this window').choices(budgetWindows),
    )
    .option('--end', 'end all raises of the key')
    .option('--json', 'print the raises as JSON')
    .action(async (id: string, options: OverrideOptions) => {
      const change = changeOf(id, options);
      const raises = await withKey(context, id, async (tools) => {
        await change(tools);
        return (await tools.get(manager, id)).budget_overrides;
      });
      context.print(options.json ? JSON.stringify(raises) : describe(raises));
    });
}

/** Returns the change that the options describe. @throws Error if they do not fit together. */
function changeOf(
  id: string,
  { amountMicroUsd, until, window, end }: OverrideOptions,
): (tools: KeyTools) => Promise<unknown> {
  const isRaise = amountMicroUsd !== undefined || until !== undefined || window !== undefined;
  if (end && isRaise) throw new Error('--end ends all raises. Pass it alone.');
  if (end) return ({ overrideBudget }) => overrideBudget.endForKey(manager, id);
  if (!isRaise) return async () => undefined;
  if (amountMicroUsd === undefined || until === undefined)
    throw new Error('A raise needs --amount-micro-usd and --until.');
  const body = { amount_micro_usd: amountMicroUsd, until: new Date(until).toISOString() };
  return ({ overrideBudget }) =>
    overrideBudget.ofKey(manager, id, { body: { ...body, ...(window === undefined ? {} : { window }) } });
}

function parseFuture(text: string): number {
  const ms = parseTime(text);
  if (ms > Date.now()) return ms;
  throw new InvalidArgumentError('It must be in the future.');
}

function describe(raises: readonly BudgetOverrideView[]): string {
  if (raises.length === 0) return 'No raises apply.';
  const rows = raises.map((raise) => [String(raise.amount_micro_usd), raise.until, raise.window ?? 'all']);
  return table([['MICRO USD', 'UNTIL', 'WINDOWS'], ...rows]);
}
