import { operatorTenant } from '../../domain/api-key.ts';
import { type Actor, auditEntryOf } from '../../domain/audit.ts';
import type { AuditLog, CircuitBreaker, Clock } from '../../domain/ports.ts';

interface Deps {
  breaker: Pick<CircuitBreaker, 'list' | 'reset'>;
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
}

/**
 * Closes the circuit breaker of a scope on behalf of an operator. The entry is in the audit log of the operator's tenant.
 *
 * @returns whether the breaker was open.
 * @throws AppError `store_unavailable`
 */
export function createResumeProvider({ breaker, audit, clock }: Deps) {
  return async (actor: Actor, scope: string): Promise<boolean> => {
    const open = await breaker.list();
    if (!open.some((each) => each.scope === scope)) return false;
    const change = {
      at: clock(),
      tenant: operatorTenant,
      action: 'provider.resumed',
      target: scope,
    } as const;
    // The entry comes first, because a change without an entry could not be traced.
    await audit.append(operatorTenant, auditEntryOf(actor, change));
    return breaker.reset(scope);
  };
}
export type ResumeProvider = ReturnType<typeof createResumeProvider>;
