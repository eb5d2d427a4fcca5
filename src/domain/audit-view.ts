import { z } from 'zod';
import { type AuditEntry, auditActions } from './audit.ts';
import { BudgetOverrideView, viewOverride } from './budget-override.ts';
import { isoTime } from './iso-time.ts';
import { knownOr } from './stored.ts';

/** Actions on the wire. `other` is an action of a newer release. */
export const shownActions = [...auditActions, 'other'] as const;

export const actorTypes = ['api_key', 'command_line'] as const;

export const AuditActorView = z
  .object({
    type: z.enum(actorTypes),
    key_id: z.string().nullable(),
    tenant: z.string().nullable().describe('Tenant of the key. `null` for the command line.'),
    address: z.string().nullable().describe('Network address of the request.'),
    request_id: z.string().nullable(),
  })
  .describe('Author of a change.');

export const AuditEntryView = z
  .object({
    id: z.string(),
    object: z.literal('audit_entry'),
    at: z.iso.datetime(),
    action: z.enum(shownActions),
    target: z
      .string()
      .describe(
        'Id of the key, job, upload or webhook endpoint, name of the tenant, or scope of the circuit breaker.',
      ),
    actor: AuditActorView,
    fields: z.array(z.string()).describe('Names of the changed fields.'),
    budget_override: BudgetOverrideView.nullable().describe(
      'Raise of a `budget.overridden`. `null` for other changes, and for raises of earlier releases.',
    ),
  })
  .describe('An entry of the audit log. It contains no secret and no prompt.');
export type AuditEntryView = z.infer<typeof AuditEntryView>;

/** Returns the view of an entry in the log of a tenant. */
export function viewAuditEntry(tenant: string, id: string, entry: AuditEntry): AuditEntryView {
  const isKey = entry.keyId !== undefined;
  return {
    id,
    object: 'audit_entry',
    at: isoTime(entry.at),
    action: knownOr(auditActions, entry.action, 'other'),
    target: entry.target,
    actor: {
      type: isKey ? 'api_key' : 'command_line',
      key_id: entry.keyId ?? null,
      tenant: isKey ? (entry.actorTenant ?? tenant) : null,
      address: entry.address ?? null,
      request_id: entry.requestId ?? null,
    },
    fields: entry.fields ?? [],
    budget_override: entry.override ? viewOverride(entry.override) : null,
  };
}
