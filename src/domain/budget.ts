import {
  type BudgetWindow,
  budgetWindows,
  type CallerPolicy,
  type KeyPolicy,
  type TenantPolicy,
} from './access-policy.ts';
import { type WindowName, windowAt } from './budget-window.ts';
import { AppError } from './errors.ts';
import { isoTime } from './iso-time.ts';
import { isKnown } from './open.ts';

/** Budgets as caps on the money of one window. Windows are UTC, and a job counts in the window that accepted it. */

/** Money of an owner in one window. */
export interface SpendWindow {
  /** Id of the key; absent for the whole tenant. */
  readonly keyId?: string | undefined;
  readonly windowName: WindowName;
}

/** Limit of one window of a budget, with its overrides. */
export interface BudgetCap extends SpendWindow {
  /** Owner and window: `key_day`, `tenant_month`; `_soft` follows for a soft budget. */
  readonly name: string;
  readonly window: BudgetWindow;
  readonly soft: boolean;
  readonly limitMicroUsd: number;
  /** End of the window; `null` if it never ends. */
  readonly resetsAtMs: number | null;
}

/** Micro-USD that count against caps. */
export interface SpendFigures {
  readonly heldMicroUsd: number;
  readonly spentMicroUsd: number;
}

/** A cap that an amount does not fit, with its figures before that amount. */
export interface CapRefusal extends SpendFigures {
  readonly cap: BudgetCap;
}

interface CapTimes {
  /** Time at which the job was, or would be, accepted. */
  readonly acceptedAtMs: number;
  readonly nowMs: number;
}

/** Returns the caps of a key and its tenant, those of the key first. A window of a newer release is no cap. */
export function capsOf(policy: CallerPolicy, keyId: string | undefined, times: CapTimes): BudgetCap[] {
  return [
    ...(keyId === undefined ? [] : capsOfOwner('key', policy.key, { keyId, ...times })),
    ...capsOfOwner('tenant', policy.tenant, times),
  ];
}

/** Returns the caps of one owner. */
export function capsOfOwner(
  owner: 'key' | 'tenant',
  { budgets = [], overrides = [] }: Pick<KeyPolicy & TenantPolicy, 'budgets' | 'overrides'>,
  { keyId, acceptedAtMs, nowMs }: CapTimes & { readonly keyId?: string },
): BudgetCap[] {
  return budgets.flatMap(({ window, limitMicroUsd, soft }) => {
    if (!isKnown(budgetWindows, window)) return [];
    const raises = overrides.filter(
      (each) => each.untilMs > nowMs && (each.window === undefined || each.window === window),
    );
    return {
      name: `${owner}_${window}${soft ? '_soft' : ''}`,
      ...(keyId === undefined ? {} : { keyId }),
      window,
      soft,
      limitMicroUsd: raises.reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, limitMicroUsd),
      ...windowAt(window, acceptedAtMs),
    };
  });
}

/** Returns the labels of a cap in metrics. */
export const labelsOf = ({ keyId, window }: BudgetCap) =>
  ({ owner: keyId === undefined ? 'tenant' : 'key', window }) as const;

/** Whether any of the caps refuses requests. */
export const hasHardCap = (caps: readonly BudgetCap[]): boolean => caps.some(({ soft }) => !soft);

/** A budget as callers see it: in the refusal, in `GET /keys/self` and in `budget.threshold`. */
export function viewOfCap({ cap, heldMicroUsd, spentMicroUsd }: CapRefusal) {
  return {
    name: cap.name,
    window: cap.window,
    limit_micro_usd: cap.limitMicroUsd,
    spent_micro_usd: spentMicroUsd,
    held_micro_usd: heldMicroUsd,
    resets_at: cap.resetsAtMs === null ? null : isoTime(cap.resetsAtMs),
  };
}

/**
 * Returns the refusal of an amount by the first hard cap that it does not fit now; `null` if it fits all of them. The store
 * decides by the same rule when it accepts a job.
 *
 * @param figures money of each cap, in the same order.
 */
export function refusalOfCaps(
  caps: readonly BudgetCap[],
  figures: readonly SpendFigures[],
  amountMicroUsd: number,
): CapRefusal | null {
  for (const [i, cap] of caps.entries()) {
    const { heldMicroUsd = 0, spentMicroUsd = 0 } = figures[i] ?? {};
    const before = heldMicroUsd + spentMicroUsd;
    // A request of unknown cost holds nothing, and does not pass a budget that is used up.
    const fits =
      before + amountMicroUsd <= cap.limitMicroUsd && (amountMicroUsd > 0 || before < cap.limitMicroUsd);
    if (!cap.soft && !fits) return { cap, heldMicroUsd, spentMicroUsd };
  }
  return null;
}

/**
 * Returns the error of a request or a further call that does not fit a budget.
 *
 * @param estimateMicroUsd the amount that had to be held; `null` if it is unknown.
 */
export function budgetExceeded(refusal: CapRefusal, estimateMicroUsd: number | null): AppError {
  const { cap, heldMicroUsd, spentMicroUsd } = refusal;
  const left = Math.max(0, cap.limitMicroUsd - heldMicroUsd - spentMicroUsd);
  const owner = cap.keyId === undefined ? 'tenant' : 'API key';
  const period = cap.window === 'total' ? 'total budget' : `budget of the ${cap.window}`;
  const need = estimateMicroUsd === null ? 'an unknown amount' : `up to ${estimateMicroUsd} micro-USD`;
  return new AppError('budget_exceeded', {
    detail: `The request may cost ${need}, and the ${period} of the ${owner} has ${left} micro-USD left.`,
    members: { budget: viewOfCap(refusal), estimate_micro_usd: estimateMicroUsd },
  });
}

/** Shares of a budget whose use is reported, in percent. */
export const thresholds = [50, 80, 100] as const;
