import { z } from 'zod';
import { BudgetOverride } from './access-policy.ts';
import { openText, storedObject } from './stored.ts';

/** The log of changes that matter for security and money. It never contains a secret or a prompt. */

export const auditActions = [
  'key.created',
  'key.changed',
  'key.rotated',
  'key.revoked',
  'tenant.changed',
  'budget.overridden',
  'budget.overrides_ended',
  'charge.settled',
  'job.erased',
  'upload.deleted',
  'provider.resumed',
  'webhook_endpoint.created',
  'webhook_endpoint.changed',
  'webhook_endpoint.rotated',
  'webhook_endpoint.deleted',
] as const;
export type AuditAction = (typeof auditActions)[number];

export const AuditEntry = storedObject({
  at: z.int(),
  action: openText<AuditAction>(),
  /** Id of the changed resource, the name of a tenant, or the scope of a circuit breaker. */
  target: z.string(),
  /** Key of the actor. Absent for the command line. */
  keyId: z.string().optional(),
  /** Tenant of the actor, if it is not the tenant of the log. */
  actorTenant: z.string().optional(),
  /** Network address of the actor. Absent for the command line. */
  address: z.string().optional(),
  requestId: z.string().optional(),
  /** Names of the changed fields. */
  fields: z.array(z.string()).optional(),
  /** Raise that was added to a budget. */
  override: BudgetOverride.optional(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Author of a change: a caller of the API, or the command line. */
export type Actor =
  | {
      readonly kind: 'caller';
      readonly tenant: string;
      readonly keyId: string;
      readonly address?: string | undefined;
      readonly requestId?: string | undefined;
    }
  | { readonly kind: 'command_line' };

/** Tenant of a resource, and the author of its change. */
export interface Author {
  readonly tenant: string;
  readonly actor: Actor;
}

/** Creates the entry of a change for the log of a tenant. */
export function auditEntryOf(
  actor: Actor,
  change: {
    readonly at: number;
    /** Tenant of the log. */
    readonly tenant: string;
    readonly action: AuditAction;
    readonly target: string;
    readonly fields?: readonly string[] | undefined;
    readonly override?: BudgetOverride | undefined;
  },
): AuditEntry {
  const { at, tenant, action, target, fields, override } = change;
  return {
    ...{ at, action, target },
    ...(actor.kind === 'caller' ? { keyId: actor.keyId } : {}),
    ...(actor.kind === 'caller' && actor.tenant !== tenant ? { actorTenant: actor.tenant } : {}),
    ...(actor.kind === 'caller' && actor.address !== undefined ? { address: actor.address } : {}),
    ...(actor.kind === 'caller' && actor.requestId !== undefined ? { requestId: actor.requestId } : {}),
    ...(fields ? { fields: [...fields] } : {}),
    ...(override ? { override } : {}),
  };
}
