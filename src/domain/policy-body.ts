import { z } from 'zod';
import { type Budget, type BudgetWindow, budgetWindows, type Limits } from './access-policy.ts';
import { AppError, type FieldIssue } from './errors.ts';
import { isKnown } from './open.ts';
import { knownOr } from './stored.ts';

/** Limits and budgets as callers send and receive them. */

const maxRequestsPerMinute = 10_000_000;
const maxJobs = 100_000_000;
/** Maximum amount, in micro-USD: a billion dollars, which is exact in every number format on the way. */
export const maxMicroUsd = 1_000_000_000_000_000;

export const LimitsBody = z
  .strictObject({
    requests_per_minute: z
      .int()
      .min(1)
      .max(maxRequestsPerMinute)
      .nullish()
      .describe('Requests per minute. Every authenticated request counts.'),
    concurrent_jobs: z.int().min(1).max(maxJobs).nullish().describe('Running jobs. Further jobs wait.'),
    queued_jobs: z.int().min(1).max(maxJobs).nullish().describe('Waiting jobs. Further requests get 429.'),
  })
  .describe('Limits. An absent or `null` limit does not apply.');
export type LimitsBody = z.infer<typeof LimitsBody>;

export const BudgetBody = z
  .strictObject({
    window: z
      .enum(budgetWindows)
      .describe('Period in UTC. A week begins on Monday; `total` never starts again.'),
    limit_micro_usd: z.int().min(0).max(maxMicroUsd).describe('Maximum amount of one period.'),
    soft: z
      .boolean()
      .optional()
      .describe('`true` refuses no request and only reports the thresholds. Default: `false`.'),
  })
  .describe('A maximum amount for one period. An estimate that exceeds it is refused with 402.');
export type BudgetBody = z.infer<typeof BudgetBody>;

/** A hard and a soft budget for each window. */
export const BudgetsBody = z.array(BudgetBody).max(2 * budgetWindows.length);

/**
 * Returns the stored form of limits; `undefined` if none is set.
 *
 * @param before limits that are replaced. Those that only a newer release knows stay, because no caller can state them here.
 */
export function limitsFrom(body: LimitsBody | null | undefined, before: Limits = {}): Limits | undefined {
  const { requestsPerMinute: _requests, concurrentJobs: _running, queuedJobs: _waiting, ...newer } = before;
  const limits: Limits = {
    ...(body?.requests_per_minute ? { requestsPerMinute: body.requests_per_minute } : {}),
    ...(body?.concurrent_jobs ? { concurrentJobs: body.concurrent_jobs } : {}),
    ...(body?.queued_jobs ? { queuedJobs: body.queued_jobs } : {}),
    ...newer,
  };
  return Object.keys(limits).length > 0 ? limits : undefined;
}

/**
 * Returns the stored form of budgets; `undefined` if there is none.
 *
 * @param before budgets that are replaced. Those of a window that only a newer release knows stay.
 * @throws AppError `validation_failed`
 */
export function budgetsFrom(
  body: readonly BudgetBody[] | null | undefined,
  before: readonly Budget[] = [],
): Budget[] | undefined {
  const known = new Set<string>();
  const issues: FieldIssue[] = [];
  const budgets = (body ?? []).map(({ window, limit_micro_usd, soft = false }, i) => {
    const name = `${soft ? 'soft' : 'hard'} ${window}`;
    if (known.has(name)) issues.push({ pointer: `/budgets/${i}`, detail: `is a second ${name} budget` });
    known.add(name);
    return { window, limitMicroUsd: limit_micro_usd, soft };
  });
  if (issues.length > 0) {
    throw new AppError('validation_failed', {
      detail: 'One hard and one soft budget may have the same window.',
      issues,
    });
  }
  const all = [...budgets, ...before.filter(({ window }) => !isKnown(budgetWindows, window))];
  return all.length > 0 ? all : undefined;
}

export const LimitsView = z
  .object({
    requests_per_minute: z.int().nullable(),
    concurrent_jobs: z.int().nullable(),
    queued_jobs: z.int().nullable(),
  })
  .describe('Limits. `null`: the limit does not apply.');
export type LimitsView = z.infer<typeof LimitsView>;

/** Windows on the wire. `other` is a window of a newer release. */
export const shownWindows = [...budgetWindows, 'other'] as const;

export const BudgetView = z
  .object({
    window: z.enum(shownWindows),
    limit_micro_usd: z.int(),
    soft: z.boolean(),
  })
  .describe('A maximum amount for one period.');
export type BudgetView = z.infer<typeof BudgetView>;

export function viewLimits(limits: Limits | undefined): LimitsView {
  const { requestsPerMinute = null, concurrentJobs = null, queuedJobs = null } = limits ?? {};
  return {
    requests_per_minute: requestsPerMinute,
    concurrent_jobs: concurrentJobs,
    queued_jobs: queuedJobs,
  };
}

export function viewBudgets(budgets: readonly Budget[] | undefined): BudgetView[] {
  return (budgets ?? []).map(({ window, limitMicroUsd, soft }) => ({
    window: shownWindow(window),
    limit_micro_usd: limitMicroUsd,
    soft,
  }));
}

/** Returns a stored window, or `other` for a window of a newer release. */
export function shownWindow(window: Budget['window']): BudgetWindow | 'other' {
  return knownOr(budgetWindows, window, 'other');
}
