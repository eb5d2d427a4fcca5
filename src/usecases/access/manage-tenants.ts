import { auditEntryOf } from '../../domain/audit.ts';
import { endStaleOverrides } from '../../domain/budget-override.ts';
import { AppError } from '../../domain/errors.ts';
import type { Clock, Tenants } from '../../domain/ports.ts';
import {
  changedTenantFields,
  noTenantFields,
  type TenantBody,
  type TenantView,
  tenantFieldsFrom,
  viewTenant,
} from '../../domain/tenant-body.ts';
import type { Manager } from './manager.ts';

interface Deps {
  tenants: Pick<Tenants, 'get' | 'update'>;
  clock: Clock;
}

/** Returns and changes the rules of tenants, for the operator. A change takes effect in all processes within a second. */
export function createManageTenants({ tenants, clock }: Deps) {
  async function write(
    manager: Manager,
    { name, body, isReplacement }: { name: string; body: TenantBody; isReplacement: boolean },
  ): Promise<TenantView> {
    if (body.suspended && name === manager.defaultTenant) {
      throw new AppError('own_key', { detail: "The operator's own tenant cannot be suspended." });
    }
    const at = clock();
    const [start, set] = isReplacement
      ? [noTenantFields, { limits: null, budgets: null, ...body }]
      : [{}, body];
    // Refuses the body before the record is read.
    tenantFieldsFrom(set);
    const record = await tenants.update(name, (current) => {
      const before = current ?? { version: 0, name, createdAt: at, updatedAt: at };
      const next = endStaleOverrides(before, {
        ...{ ...before, ...start, ...tenantFieldsFrom(set, before) },
        updatedAt: at,
      });
      const names = changedTenantFields(before, next, at);
      if (names.length === 0) return null;
      const entry = { at, tenant: name, action: 'tenant.changed', target: name, fields: names } as const;
      return { record: next, audit: auditEntryOf(manager.actor, entry) };
    });
    return viewTenant(name, record, at);
  }

  return {
    /** Returns the rules of a tenant. A tenant that was never changed has none. */
    get: async (name: string): Promise<TenantView> => viewTenant(name, await tenants.get(name), clock()),
    /** Replaces the rules, and ends the overrides. @throws AppError `validation_failed`, `own_key` */
    replace: (manager: Manager, name: string, body: TenantBody) =>
      write(manager, { name, body, isReplacement: true }),
    /** Changes the rules that a body names. @throws AppError `validation_failed`, `own_key` */
    update: (manager: Manager, name: string, body: TenantBody) =>
      write(manager, { name, body, isReplacement: false }),
  };
}
export type ManageTenants = ReturnType<typeof createManageTenants>;
