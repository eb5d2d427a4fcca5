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
  /** SHA-256, hex. */
  digest: (text: string) => string;
  clock: Clock;
}

/** A raise that a request asks for. */
interface Raise {
  readonly body: BudgetOverrideBody;
  /** A repeated request with this key raises nothing again while its raise applies. */
  readonly idempotencyKey?: string | undefined;
}

/** The raise of a request. `isReplayed` if an earlier request with the same key made it. */
export interface Raised {
  readonly override: BudgetOverrideView;
  readonly isReplayed: boolean;
}

/** Raises budgets of keys and tenants until a time, and ends these raises. A change takes effect in all processes within a second. */
export function createOverrideBudget({ apiKeys, tenants, digest, clock }: Deps) {
  const changeKey = createChangeKey(apiKeys);
  const overrideOf = ({ body, idempotencyKey }: Raise, at: number) =>
    overrideFrom(body, at, idempotencyKey === undefined ? undefined : digest(idempotencyKey));
  const auditOf = (
    { actor }: Manager,
    change: { at: number; tenant: string; target: string; override?: BudgetOverride },
  ) =>
    auditEntryOf(actor, {
      ...change,
      action: change.override ? 'budget.overridden' : 'budget.overrides_ended',
    });

  return {
    /** @throws AppError `not_found`, `key_revoked`, `validation_failed`, `insufficient_scope`, `idempotency_key_reused` */
    async ofKey(manager: Manager, id: string, raise: Raise): Promise<Raised> {
      refuseRestricted(manager);
      const at = clock();
      const override = overrideOf(raise, at);
      let isReplayed = false;
      await changeKey(manager, id, (current) => {
        refuseRevoked(current);
        refuseLongerKey(manager, current);
        const overrides = withOverride(current.overrides, override, at);
        isReplayed = overrides === null;
        if (overrides === null) return null;
        const audit = auditOf(manager, { at, tenant: current.tenant, target: id, override });
        return { record: { ...current, overrides, updatedAt: at }, audit };
      });
      return { override: viewOverride(override), isReplayed };
    },

    /** @throws AppError `validation_failed`, `idempotency_key_reused` */
    async ofTenant(manager: Manager, name: string, raise: Raise): Promise<Raised> {
      const at = clock();
      const override = overrideOf(raise, at);
      let isReplayed = false;
      await tenants.update(name, (current) => {
        const before = current ?? { version: 0, name, createdAt: at, updatedAt: at };
        const overrides = withOverride(before.overrides, override, at);
        isReplayed = overrides === null;
        if (overrides === null) return null;
        const audit = auditOf(manager, { at, tenant: name, target: name, override });
        return { record: { ...before, overrides, updatedAt: at }, audit };
      });
      return { override: viewOverride(override), isReplayed };
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
