import { auditEntryOf } from '../../domain/audit.ts';
import {
  type BudgetOverrideBody,
  type BudgetOverrideView,
  overrideFrom,
  viewOverride,
  withOverride,
} from '../../domain/budget-override.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiKeys, Clock, Tenants } from '../../domain/ports.ts';
import { type Manager, refuseRestricted } from './manager.ts';

interface Deps {
  apiKeys: Pick<ApiKeys, 'update'>;
  tenants: Pick<Tenants, 'update'>;
  clock: Clock;
}

/** Raises budgets of keys and tenants until a time. The raise takes effect in all processes within a second. */
export function createOverrideBudget({ apiKeys, tenants, clock }: Deps) {
  const auditOf = (manager: Manager, change: { at: number; tenant: string; target: string }) =>
    auditEntryOf(manager.actor, { ...change, action: 'budget.overridden' });

  return {
    /** @throws AppError `not_found`, `key_revoked`, `validation_failed`, `insufficient_scope` */
    async ofKey(manager: Manager, id: string, body: BudgetOverrideBody): Promise<BudgetOverrideView> {
      refuseRestricted(manager);
      const at = clock();
      const override = overrideFrom(body, at);
      const record = await apiKeys.update(id, (current) => {
        if (manager.tenant !== null && current.tenant !== manager.tenant) throw unknownKey();
        if (current.revokedAt !== undefined) {
          throw new AppError('key_revoked', { detail: 'A revoked key cannot be changed. Create a new key.' });
        }
        const { tenant } = current;
        return {
          record: { ...current, overrides: withOverride(current.overrides, override, at), updatedAt: at },
          audit: auditOf(manager, { at, tenant, target: id }),
        };
      });
      if (!record) throw unknownKey();
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

function unknownKey(): AppError {
  return new AppError('not_found', { detail: 'There is no API key with this id.' });
}
