import type { OwnBudget } from '../api/types.ts';
import { formatUsd } from '../format/money.ts';
import { useSession } from '../lib/context.ts';
import { useSettings, useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { BudgetBar } from './meter.tsx';

/** The budget of the key that is nearest to its limit. */
export function KeyBudget() {
  const t = useText(common);
  const { language } = useSettings().settings;
  const budget = tightestBudget(useSession().self.budgets);
  if (!budget) return null;
  const { spent_micro_usd: spent, held_micro_usd: held, limit_micro_usd: limit } = budget;
  const text = t(`budget.${budget.window}`, {
    used: formatUsd(spent + held, language),
    limit: formatUsd(limit, language),
  });
  return (
    <div class="row wide-only">
      <span class="faint num">{text}</span>
      <span class="budget-mini">
        <BudgetBar label={text} spent={spent} held={held} limit={limit} />
      </span>
    </div>
  );
}

/** Returns the budget with the smallest remaining amount. */
export function tightestBudget(budgets: readonly OwnBudget[]): OwnBudget | undefined {
  return [...budgets].sort((a, b) => a.remaining_micro_usd - b.remaining_micro_usd)[0];
}
