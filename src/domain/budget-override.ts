import { z } from 'zod';
import { type BudgetOverride, budgetWindows, type KeyPolicy } from './access-policy.ts';
import { AppError } from './errors.ts';
import { isoTime } from './iso-time.ts';
import { maxMicroUsd, shownWindow, shownWindows, viewBudgets } from './policy-body.ts';

/** Overrides of budgets as callers send and receive them. */

export const BudgetOverrideBody = z
  .strictObject({
    amount_micro_usd: z.int().min(1).max(maxMicroUsd).describe('Amount that is added to the limit.'),
    until: z.iso.datetime({ offset: true }).describe('Time until which the raise applies. In the future.'),
    window: z
      .enum(budgetWindows)
      .optional()
      .describe('Window of the budgets that are raised. Default: every budget of the owner.'),
  })
  .describe('A raise of budgets until a time.');
export type BudgetOverrideBody = z.infer<typeof BudgetOverrideBody>;

export const BudgetOverrideView = z
  .object({
    object: z.literal('budget_override'),
    amount_micro_usd: z.int(),
    until: z.iso.datetime(),
    window: z.enum(shownWindows).nullable().describe('`null`: every budget of the owner.'),
  })
  .describe('A raise of budgets until a time.');
export type BudgetOverrideView = z.infer<typeof BudgetOverrideView>;

/** Overrides of a key or a tenant, in its views. */
export const BudgetOverridesView = z
  .array(BudgetOverrideView)
  .describe('Raises of the budgets that still apply, oldest first. Changed budgets end them.');

/** Stored fields of a key or a tenant that overrides concern. */
type Owner = Pick<KeyPolicy, 'budgets' | 'overrides'>;

/** Maximum number of overrides of one owner that apply at the same time. */
const maxOverrides = 20;

/**
 * Returns the stored form of an override.
 *
 * @param claim digest of the Idempotency-Key of the request.
 * @throws AppError `validation_failed` if its end has passed.
 */
export function overrideFrom(body: BudgetOverrideBody, nowMs: number, claim?: string): BudgetOverride {
  const untilMs = Date.parse(body.until);
  if (untilMs <= nowMs) {
    const issues = [{ pointer: '/until', detail: 'must be in the future' }];
    throw new AppError('validation_failed', { detail: 'The override would never apply.', issues });
  }
  return {
    amountMicroUsd: body.amount_micro_usd,
    untilMs,
    ...(body.window ? { window: body.window } : {}),
    ...(claim === undefined ? {} : { claim }),
  };
}

/**
 * Adds an override to those that still apply.
 *
 * @returns `null` if the same override was added under its key before. A second one would raise the budgets twice.
 * @throws AppError `validation_failed` if there are too many, `idempotency_key_reused` if the key added another one.
 */
export function withOverride(
  overrides: readonly BudgetOverride[] = [],
  added: BudgetOverride,
  nowMs: number,
): BudgetOverride[] | null {
  const before = liveOverrides({ overrides }, nowMs);
  const same = before.find(({ claim }) => claim !== undefined && claim === added.claim);
  if (same && JSON.stringify(viewOverride(same)) === JSON.stringify(viewOverride(added))) return null;
  if (same) {
    throw new AppError('idempotency_key_reused', {
      detail: 'This Idempotency-Key made another raise. Use a new key for a new request.',
    });
  }
  const live = [...before, added];
  if (live.length <= maxOverrides) return live;
  throw new AppError('validation_failed', {
    detail: `${maxOverrides} overrides apply already. DELETE of the same path ends all of them.`,
    issues: [{ pointer: '', detail: `is more than ${maxOverrides} overrides` }],
  });
}

/** Returns the overrides that apply at a time. */
export function liveOverrides({ overrides = [] }: Owner, nowMs: number): readonly BudgetOverride[] {
  return overrides.filter(({ untilMs }) => untilMs > nowMs);
}

/** Returns an owner after a change. Changed budgets end the overrides, because these raised the earlier budgets. */
export function endStaleOverrides<Changed extends Owner>(before: Owner, next: Changed): Changed {
  const shown = ({ budgets }: Owner) => JSON.stringify(viewBudgets(budgets));
  return shown(before) === shown(next) ? next : { ...next, overrides: undefined };
}

/** Returns the overrides of an owner that apply at a time, oldest first. */
export function viewOverrides(owner: Owner, nowMs: number): BudgetOverrideView[] {
  return liveOverrides(owner, nowMs).map(viewOverride);
}

export function viewOverride({ amountMicroUsd, untilMs, window }: BudgetOverride): BudgetOverrideView {
  return {
    object: 'budget_override',
    amount_micro_usd: amountMicroUsd,
    until: isoTime(untilMs),
    window: window === undefined ? null : shownWindow(window),
  };
}
