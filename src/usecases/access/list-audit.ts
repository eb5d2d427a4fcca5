import { type AuditEntryView, viewAuditEntry } from '../../domain/audit-view.ts';
import { AppError } from '../../domain/errors.ts';
import type { AuditLog, Clock } from '../../domain/ports.ts';
import type { Manager } from './manager.ts';

interface Query {
  readonly tenant?: string | undefined;
  /** Inclusive. */
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
  readonly limit: number;
  readonly before?: string | undefined;
}

/** Lists the audit log of a tenant, newest first. @throws AppError `insufficient_scope` for another tenant. */
export function createListAudit({ audit, clock }: { audit: Pick<AuditLog, 'list'>; clock: Clock }) {
  return async (
    manager: Manager,
    { tenant = manager.defaultTenant ?? '', ...query }: Query,
  ): Promise<{ entries: AuditEntryView[]; next: string | null }> => {
    if (manager.tenant !== null && tenant !== manager.tenant) {
      throw new AppError('insufficient_scope', {
        detail: "Only the operator's key reads the audit logs of other tenants.",
        issues: [{ pointer: '/query/tenant', detail: "must be the caller's tenant" }],
      });
    }
    const { entries, next } = await audit.list(tenant, { ...query, nowMs: clock() });
    return { entries: entries.map(({ position, entry }) => viewAuditEntry(tenant, position, entry)), next };
  };
}
export type ListAudit = ReturnType<typeof createListAudit>;
