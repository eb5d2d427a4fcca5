import type { ApiKeyRecord, Caller } from '../../domain/api-key.ts';
import type { Actor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';

/** Author of a change of keys or tenants, and how far it may go. */
export interface Manager {
  readonly actor: Actor;
  /** Tenant whose keys it manages; `null`: all tenants. */
  readonly tenant: string | null;
  /** Tenant of a new key if none is named. */
  readonly defaultTenant?: string | undefined;
  /** Key of the manager, if it is a stored key. */
  readonly own?: OwnKey | undefined;
}

interface OwnKey {
  readonly id: string;
  /** Whether the key has limits, budgets or rules of its own, which a new key would not have. */
  readonly isRestricted: boolean;
  readonly expiresAt?: number | undefined;
}

/** The command line acts for the operator. */
export const commandLineManager: Manager = { actor: { kind: 'command_line' }, tenant: null };

/** Returns the manager that a caller with the scope `admin` is. */
export function managerOf(
  caller: Caller,
  from: { readonly address?: string | undefined; readonly requestId?: string | undefined },
): Manager {
  const { tenant, keyId, isOperator, policy } = caller;
  const actor: Actor = { kind: 'caller', tenant, keyId, ...from };
  if (isOperator) return { actor, tenant: null, defaultTenant: tenant };
  const { limits, budgets, models, presetsOnly, expiresAt } = policy.key;
  const isRestricted = [limits, budgets, models].some((each) => each !== undefined) || presetsOnly === true;
  return { actor, tenant, defaultTenant: tenant, own: { id: keyId, isRestricted, expiresAt } };
}

/**
 * Refuses a manager whose own key is restricted, because it could free itself: by a key without the restriction, or by money
 * that no longer counts.
 *
 * @param action what the manager would do, as the end of a sentence.
 * @throws AppError `insufficient_scope`
 */
export function refuseRestricted({ own }: Manager, action = 'create, change or revoke keys'): void {
  if (!own?.isRestricted) return;
  throw new AppError('insufficient_scope', {
    detail: `This key has limits, budgets or rules of its own, so it cannot ${action}. Use a key of the tenant without them.`,
  });
}

/**
 * Refuses a change of another key that lasts longer than the manager's own one, because the change would outlast the manager.
 *
 * @param next the other key after the change.
 * @throws AppError `insufficient_scope`
 */
export function refuseLongerKey({ own }: Manager, { id, expiresAt }: ApiKeyRecord): void {
  if (own?.expiresAt === undefined || own.id === id) return;
  if (expiresAt !== undefined && expiresAt <= own.expiresAt) return;
  throw new AppError('insufficient_scope', {
    detail:
      'A key that expires can only change keys that expire no later. Use a key of the tenant that lasts longer.',
  });
}

/** Refuses an expiry later than that of the manager's own key. @throws AppError `insufficient_scope` */
export function refuseLaterExpiry({ own }: Manager, expiresAt: number | undefined): void {
  if (own?.expiresAt === undefined) return;
  if (expiresAt !== undefined && expiresAt <= own.expiresAt) return;
  throw new AppError('insufficient_scope', {
    detail: 'A key that expires cannot create or change a key to last longer. Set an earlier expires_at.',
    issues: [{ pointer: '/expires_at', detail: 'must not be later than the expiry of the calling key' }],
  });
}
