import type { BudgetOverride } from '../../domain/access-policy.ts';
import { auditEntryOf } from '../../domain/audit.ts';
import {
  type BudgetOverrideBody,
  type BudgetOverrideView,
  liveOverrides,
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

/** Raises budgets of keys and tenants until a time, and ends these raises. A change takes effect in all processes within a second. */
export function createOverrideBudget({ apiKeys, tenants, clock }: Deps) {
  const changeKey = createChangeKey(apiKeys);
  const auditOf = (
    { actor }: Manager,
    change: { at: number; tenant: string; target: string; override?: BudgetOverride },
  ) =>
    auditEntryOf(actor, {
      ...change,
      action: change.override ? 'budget.overridden' : 'budget.overrides_ended',
    });

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
          audit: auditOf(manager, { at, tenant, target: id, override }),
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
          audit: auditOf(manager, { at, tenant: name, target: name, override }),
        };
      });
      return viewOverride(override);
    },

    /** Ends every override of a key. Idempotent. @throws AppError `not_found`, `key_revoked`, `insufficient_scope` */
    async endForKey(manager: Manager, id: string): Promise<void> {
      refuseRestricted(manager);
      const at = clock();
      await changeKey(manager, id, (current) => {
        refuseRevoked(current);
        refuseLongerKey(manager, current);
        if (liveOverrides(current, at).length === 0) return null;
        const audit = auditOf(manager, { at, tenant: current.tenant, target: id });
        return { record: { ...current, overrides: undefined, updatedAt: at }, audit };
      });
    },

    /** Ends every override of a tenant. Idempotent. */
    async endForTenant(manager: Manager, name: string): Promise<void> {
      const at = clock();
      await tenants.update(name, (current) => {
        if (current === null || liveOverrides(current, at).length === 0) return null;
        const audit = auditOf(manager, { at, tenant: name, target: name });
        return { record: { ...current, overrides: undefined, updatedAt: at }, audit };
      });
    },
  };
}
export type OverrideBudget = ReturnType<typeof createOverrideBudget>;
