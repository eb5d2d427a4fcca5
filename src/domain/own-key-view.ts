import { z } from 'zod';
import { budgetWindows } from './access-policy.ts';
import { type BudgetCap, type SpendFigures, viewOfCap } from './budget.ts';
import { KeyView } from './key-view.ts';

/** A budget of a key with the figures of its current window. */
export const OwnBudgetView = z
  .object({
    name: z.string().describe('Owner and window of the budget, as refusals name it.'),
    window: z.enum(budgetWindows),
    soft: z.boolean(),
    limit_micro_usd: z.int().describe('The limit with its overrides.'),
    spent_micro_usd: z.int().describe('Known costs of the jobs that the window accepted.'),
    held_micro_usd: z.int().describe('Amounts that these jobs may still cost.'),
    remaining_micro_usd: z.int().describe('The limit without both amounts, at least 0.'),
    resets_at: z.iso.datetime().nullable().describe('End of the window; `null` for a total budget.'),
  })
  .describe('A budget with the figures of its current window.');

/** The key of a request. */
export const OwnKeyView = KeyView.extend({
  budgets: z.array(OwnBudgetView),
  operator: z.boolean().describe('Whether the key is the one of the operator, which manages all tenants.'),
}).describe('The API key of the request, with the figures of its budgets.');
export type OwnKeyView = z.infer<typeof OwnKeyView>;

/** A key as its manager reads it. `budgets` are as set; the figures are apart, so that they can be sent back in a change. */
export const KeyWithSpending = KeyView.extend({
  spending: z.array(OwnBudgetView).describe('Figures of the budgets in their current windows.'),
}).describe('An API key with the figures of its budgets.');
export type KeyWithSpending = z.infer<typeof KeyWithSpending>;

export function viewOwnBudget(cap: BudgetCap, figures: SpendFigures): z.infer<typeof OwnBudgetView> {
  const { heldMicroUsd, spentMicroUsd } = figures;
  return {
    ...viewOfCap({ cap, ...figures }),
    soft: cap.soft,
    remaining_micro_usd: Math.max(0, cap.limitMicroUsd - heldMicroUsd - spentMicroUsd),
  };
}
