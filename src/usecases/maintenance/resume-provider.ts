import { operatorTenant } from '../../domain/api-key.ts';
import { type Actor, auditEntryOf } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { AuditLog, CircuitBreaker, Clock } from '../../domain/ports.ts';

interface Deps {
  breaker: Pick<CircuitBreaker, 'list' | 'reset'>;
  /** Whether a text names a breaker that can exist: the account or a model of a provider of this release. Default: any text. */
  isScope?: (scope: string) => boolean;
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
}

/**
 * Closes the circuit breaker of a scope on behalf of an operator. The entry is in the audit log of the operator's tenant.
 *
 * @returns whether the breaker was open.
 * @throws AppError `not_found` with the open scopes if no breaker can have that name; `store_unavailable`
 */
export function createResumeProvider({ breaker, isScope = () => true, audit, clock }: Deps) {
  return async (actor: Actor, scope: string): Promise<boolean> => {
    const open = await breaker.list();
    // A breaker that another release opened may have a name that this one does not know.
    if (!open.some((each) => each.scope === scope)) {
      if (isScope(scope)) return false;
      const names = open.map((each) => each.scope).join(', ') || 'none';
      throw new AppError('not_found', {
        detail: `There is no such scope. A scope is "<provider>:account" or "<provider>:model:<model>". Open: ${names}.`,
      });
    }
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
