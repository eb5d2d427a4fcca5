import { z } from 'zod';
import { type ApiKeyRecord, scopes } from './api-key.ts';
import { BudgetOverridesView, viewOverrides } from './budget-override.ts';
import { isoTime } from './iso-time.ts';
import { BudgetView, LimitsView, viewBudgets, viewLimits } from './policy-body.ts';
import { knownOr } from './stored.ts';

/** Scopes on the wire. `other` is a scope of a newer release. */
export const shownScopes = [...scopes, 'other'] as const;

const nullableTime = (description: string) => z.iso.datetime().nullable().describe(description);

/** An API key on the wire, without its text. */
export const KeyView = z
  .object({
    id: z.string(),
    object: z.literal('api_key'),
    tenant: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(shownScopes)),
    created_at: nullableTime('Time of creation. `null` for a key of the configuration.'),
    updated_at: nullableTime('Time of the last change.'),
    expires_at: nullableTime('Time of expiry. `null`: never.'),
    revoked_at: nullableTime('Time of the revocation, which is final.'),
    last_used_at: nullableTime('Time of a recent use, exact to about a minute.'),
    previous_valid_until: nullableTime('Time until which the text before the last rotation is valid.'),
    disabled: z.boolean(),
    limits: LimitsView,
    budgets: z.array(BudgetView),
    budget_overrides: BudgetOverridesView,
    models: z.array(z.string()).nullable().describe('Models that requests may use. `null`: every model.'),
    presets_only: z.boolean(),
    metadata: z.record(z.string(), z.string()),
  })
  .describe('An API key. Its text is shown only at its creation and after a rotation.');
export type KeyView = z.infer<typeof KeyView>;

/** Returns the view of a key. */
export function viewKey(
  record: ApiKeyRecord,
  { nowMs, lastUsedAt }: { readonly nowMs: number; readonly lastUsedAt: number | null },
): KeyView {
  const timeOf = (ms: number | null | undefined) => (ms ? isoTime(ms) : null);
  const previousUntil = Math.max(0, ...(record.previous ?? []).map(({ until }) => until));
  return {
    id: record.id,
    object: 'api_key',
    tenant: record.tenant,
    name: record.name,
    scopes: record.scopes.map((scope) => knownOr(scopes, scope, 'other')),
    created_at: timeOf(record.createdAt),
    updated_at: timeOf(record.updatedAt ?? record.createdAt),
    expires_at: timeOf(record.expiresAt),
    revoked_at: timeOf(record.revokedAt),
    last_used_at: timeOf(lastUsedAt),
    previous_valid_until: previousUntil > nowMs ? timeOf(previousUntil) : null,
    disabled: record.disabled ?? false,
    limits: viewLimits(record.limits),
    budgets: viewBudgets(record.budgets),
    budget_overrides: viewOverrides(record, nowMs),
    models: record.models ?? null,
    presets_only: record.presetsOnly ?? false,
    metadata: record.metadata ?? {},
  };
}
