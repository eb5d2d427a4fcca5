import { z } from 'zod';
import { BudgetOverridesView, viewOverrides } from './budget-override.ts';
import { isoTime } from './iso-time.ts';
import {
  BudgetsBody,
  BudgetView,
  budgetsFrom,
  LimitsBody,
  LimitsView,
  limitsFrom,
  viewBudgets,
  viewLimits,
} from './policy-body.ts';
import type { TenantRecord } from './tenant.ts';

/** Rules of a tenant as the operator sends and receives them. */

const maxWeight = 100;
const defaultWeight = 1;

export const TenantBody = z.strictObject({
  limits: LimitsBody.nullable().optional().describe('Limits of all keys together. `null` removes them.'),
  budgets: BudgetsBody.nullable()
    .optional()
    .describe('Budgets of all keys together. `null` removes them. Changed budgets end their overrides.'),
  weight: z
    .int()
    .min(1)
    .max(maxWeight)
    .optional()
    .describe('Share of the tenant if tenants compete for workers. Default: 1.'),
  suspended: z.boolean().optional().describe('`true` refuses every request of the tenant with 403.'),
});
export type TenantBody = z.infer<typeof TenantBody>;

export const TenantView = z
  .object({
    object: z.literal('tenant'),
    name: z.string(),
    created_at: z.iso.datetime().nullable().describe('Time of the first change. `null`: no rules are set.'),
    updated_at: z.iso.datetime().nullable(),
    limits: LimitsView,
    budgets: z.array(BudgetView),
    budget_overrides: BudgetOverridesView,
    weight: z.int(),
    suspended: z.boolean(),
  })
  .describe('Rules for all keys of a tenant together.');
export type TenantView = z.infer<typeof TenantView>;

type TenantFields = Partial<Pick<TenantRecord, 'limits' | 'budgets' | 'overrides' | 'weight' | 'suspended'>>;

/** Returns the fields of a record that a body sets. A field that the body removes is `undefined`. `before` is the record. */
export function tenantFieldsFrom(
  { limits, budgets, weight, suspended }: TenantBody,
  before: Pick<TenantFields, 'limits' | 'budgets'> = {},
): TenantFields {
  return {
    ...(limits === undefined ? {} : { limits: limitsFrom(limits, before.limits) }),
    ...(budgets === undefined ? {} : { budgets: budgetsFrom(budgets, before.budgets) }),
    ...(weight === undefined ? {} : { weight }),
    ...(suspended === undefined ? {} : { suspended: suspended || undefined }),
  };
}

/** Fields without a value, which a replacement starts from. */
export const noTenantFields: TenantFields = {
  limits: undefined,
  budgets: undefined,
  overrides: undefined,
  weight: undefined,
  suspended: undefined,
};

/** Returns the names of the rules that differ between two records, as callers see them. */
export function changedTenantFields(before: TenantRecord, next: TenantRecord, nowMs: number): string[] {
  const [from, to] = [viewTenant(before.name, before, nowMs), viewTenant(next.name, next, nowMs)];
  const rules = ['limits', 'budgets', 'budget_overrides', 'weight', 'suspended'] as const;
  return rules.filter((rule) => JSON.stringify(from[rule]) !== JSON.stringify(to[rule]));
}

/** Returns the view of a tenant. A tenant without a record has no rules. */
export function viewTenant(name: string, record: TenantRecord | null, nowMs: number): TenantView {
  return {
    object: 'tenant',
    name,
    created_at: record ? isoTime(record.createdAt) : null,
    updated_at: record ? isoTime(record.updatedAt) : null,
    limits: viewLimits(record?.limits),
    budgets: viewBudgets(record?.budgets),
    budget_overrides: viewOverrides(record ?? {}, nowMs),
    weight: record?.weight ?? defaultWeight,
    suspended: record?.suspended ?? false,
  };
}
