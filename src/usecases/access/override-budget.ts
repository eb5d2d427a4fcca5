import { auditEntryOf } from '../../domain/audit.ts';
import {
  type BudgetOverrideBody,
  type BudgetOverrideView,
  overrideFrom,
  viewOverride,
  withOverride,
} from '../../domain/budget-override.ts';
import type { ApiKeys, Clock, Tenants } from '../../domain/ports.ts';
import { createChangeKey, refuseRevoked } from './managed-key.ts';
import { type Manager, refuseLongerKey, refuseRestricted } from './manager.ts';

interface Deps {
  apiKeys: Pick<ApiKeys, 'update'>;
  tenants: Pick<Tenants, 'update'>;
  clock: Clock;
}

/** Raises budgets of keys and tenants until a time. The raise takes effect in all processes within a second. */
export function createOverrideBudget({ apiKeys, tenants, clock }: Deps) {
  const changeKey = createChangeKey(apiKeys);
  const auditOf = (manager: Manager, change: { at: number; tenant: string; target: string }) =>
    auditEntryOf(manager.actor, { ...change, action: 'budget.overridden' });

  return {
    /** @throws AppError `not_found`, `key_revoked`, `validation_failed`, `insufficient_scope` */
    async ofKey(manager: Manager, id: string, body: BudgetOverrideBody): Promise<BudgetOverrideView> {
      refuseRestricted(manager);
      const at = clock();
      const override = overrideFrom(body, at);
      await changeKey(manager, id, (current) => {
        refuseRevoked(current);
        refuseLongerKey(manager, current);
        const { tenant } = current;
        return {
          record: { ...current, overrides: withOverride(current.overrides, override, at), updatedAt: at },
          audit: auditOf(manager, { at, tenant, target: id }),
        };
      });
      return viewOverride(override);
    },

    /** @throws AppError `validation_failed` */
    async ofTenant(manager: Manager, name: string, body: BudgetOverrideBody): Promise<BudgetOverrideView> {
      const at = clock();
      const override = overrideFrom(body, at);
      await tenants.update(name, (current) => {
        const before = current ?? { version: 0, name, createdAt: at, updatedAt: at };
        return {
          record: { ...before, overrides: withOverride(before.overrides, override, at), updatedAt: at },
          audit: auditOf(manager, { at, tenant: name, target: name }),
        };
      });
      return viewOverride(override);
    },
  };
}
export type OverrideBudget = ReturnType<typeof createOverrideBudget>;
