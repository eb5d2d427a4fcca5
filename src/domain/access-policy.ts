import { z } from 'zod';
import { openText, storedObject } from './stored.ts';

/** Rules for a key or for all keys of a tenant: limits, budgets, and what requests may name. */

/** Periods of a budget, in UTC. A week begins on Monday. `total` never ends. */
export const budgetWindows = ['day', 'week', 'month', 'total'] as const;
export type BudgetWindow = (typeof budgetWindows)[number];

/** Limits of a key or a tenant. An absent field is unlimited. */
export const Limits = storedObject({
  requestsPerMinute: z.int().optional(),
  /** Running jobs. Further jobs wait. */
  concurrentJobs: z.int().optional(),
  /** Waiting jobs. Further requests are refused. */
  queuedJobs: z.int().optional(),
});
export type Limits = z.infer<typeof Limits>;

/** Maximum amount of one period. */
export const Budget = storedObject({
  window: openText<BudgetWindow>(),
  limitMicroUsd: z.int(),
  /** A soft budget refuses no request. It only reports that its thresholds are reached. */
  soft: z.boolean(),
});
export type Budget = z.infer<typeof Budget>;

/** Raise of every budget of its owner until a time, or of the budget whose window it names. */
export const BudgetOverride = storedObject({
  amountMicroUsd: z.int(),
  untilMs: z.int(),
  window: openText<BudgetWindow>().optional(),
  /** Digest of the Idempotency-Key of its request. */
  claim: z.string().optional(),
});
export type BudgetOverride = z.infer<typeof BudgetOverride>;

/** Stored fields that a key and a tenant share. */
export const ownerPolicy = {
  limits: Limits.optional(),
  budgets: z.array(Budget).optional(),
  overrides: z.array(BudgetOverride).optional(),
};

/** Rules of one key. An absent field does not restrict it. */
export interface KeyPolicy {
  readonly limits?: Limits | undefined;
  readonly budgets?: readonly Budget[] | undefined;
  readonly overrides?: readonly BudgetOverride[] | undefined;
  /** Names of the models that its requests may use. */
  readonly models?: readonly string[] | undefined;
  /** Whether each request must name a preset. */
  readonly presetsOnly?: boolean | undefined;
  readonly expiresAt?: number | undefined;
}

/** Rules of a tenant, for all of its keys together. */
export interface TenantPolicy {
  readonly limits?: Limits | undefined;
  readonly budgets?: readonly Budget[] | undefined;
  readonly overrides?: readonly BudgetOverride[] | undefined;
  /** Share of the tenant if tenants compete for workers. Absent: 1. */
  readonly weight?: number | undefined;
  /** Whether requests of the tenant are refused. */
  readonly suspended?: boolean | undefined;
}

/** Rules for the requests of a key: its own and those of its tenant. Both apply. */
export interface CallerPolicy {
  readonly key: KeyPolicy;
  readonly tenant: TenantPolicy;
}

/** Names a changed record of a key or a tenant. */
export interface PolicyName {
  readonly kind: 'key' | 'tenant';
  readonly name: string;
}
