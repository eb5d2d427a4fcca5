import { z } from 'zod';
import { type ApiKeyRecord, scopes, tenantPattern } from './api-key.ts';
import { inexactIssues } from './check-request-text.ts';
import { AppError, type FieldIssue } from './errors.ts';
import { BudgetsBody, budgetsFrom, LimitsBody, limitsFrom } from './policy-body.ts';

/** API keys as callers create and change them. */

const maxScopes = 16;
const maxModels = 100;

const fields = {
  name: z.string().min(1).max(128).describe('Purpose of the key.'),
  scopes: z.array(z.enum(scopes)).min(1).max(maxScopes),
  expires_at: z.iso.datetime({ offset: true }).nullable().describe('Time of expiry. `null`: never.'),
  limits: LimitsBody.nullable(),
  budgets: BudgetsBody.nullable().describe('Budgets of the key. Those of its tenant apply as well.'),
  models: z
    .array(z.string().min(1).max(128))
    .min(1)
    .max(maxModels)
    .nullable()
    .describe('Models that requests may use. `null`: every model.'),
  presets_only: z.boolean().describe('Whether each request must name a preset.'),
  metadata: z
    .record(z.string().min(1).max(64), z.string().max(512))
    .meta({ maxProperties: 16 })
    .describe('Up to 16 string pairs.'),
  disabled: z.boolean().describe('`true` refuses the key until it is enabled again.'),
};

export const KeyBody = z.strictObject({
  tenant: z
    .string()
    .regex(tenantPattern)
    .optional()
    .describe(
      "Owner of the key. Default: the caller's tenant. Only the operator's key may name another one.",
    ),
  name: fields.name.optional(),
  scopes: fields.scopes
    .optional()
    .describe('Permissions. Default: `images:write`, `images:read` and `webhooks`.'),
  expires_at: fields.expires_at.optional(),
  limits: fields.limits.optional().describe('Limits of the key. Those of its tenant apply as well.'),
  budgets: fields.budgets.optional(),
  models: fields.models.optional(),
  presets_only: fields.presets_only.optional(),
  metadata: fields.metadata.optional(),
  disabled: fields.disabled.optional(),
});
export type KeyBody = z.infer<typeof KeyBody>;

export const KeyPatch = z.strictObject({
  name: fields.name.optional(),
  scopes: fields.scopes.optional().describe('Replaces all scopes.'),
  expires_at: fields.expires_at.optional(),
  limits: fields.limits.optional().describe('Replaces all limits. `null` removes them.'),
  budgets: fields.budgets
    .optional()
    .describe('Replaces all budgets. `null` removes them. Changed budgets end their overrides.'),
  models: fields.models.optional().describe('Replaces the list. `null` allows every model.'),
  presets_only: fields.presets_only.optional(),
  metadata: fields.metadata.optional().describe('Replaces all pairs.'),
  disabled: fields.disabled.optional(),
});
export type KeyPatch = z.infer<typeof KeyPatch>;

const maxGraceSeconds = 30 * 86_400;

export const KeyRotation = z.strictObject({
  grace_s: z
    .int()
    .min(0)
    .max(maxGraceSeconds)
    .optional()
    .describe('Time for which the earlier texts stay valid, in seconds. Default: 86400.'),
});
export type KeyRotation = z.infer<typeof KeyRotation>;

/** Fields of a record that a caller may set. */
type KeyFields = Partial<
  Pick<
    ApiKeyRecord,
    | 'name'
    | 'scopes'
    | 'expiresAt'
    | 'limits'
    | 'budgets'
    | 'models'
    | 'presetsOnly'
    | 'metadata'
    | 'disabled'
  >
>;

/** Returns the fields of a record that a body sets. A field that the body removes is `undefined`. `before` is the record. */
export function keyFieldsFrom(body: KeyPatch, before: Pick<KeyFields, 'limits' | 'budgets'> = {}): KeyFields {
  const { name, scopes: given, expires_at, limits, budgets, models, metadata } = body;
  return {
    ...(name === undefined ? {} : { name }),
    ...(given === undefined ? {} : { scopes: [...new Set(given)] }),
    ...(expires_at === undefined
      ? {}
      : { expiresAt: expires_at === null ? undefined : Date.parse(expires_at) }),
    ...(limits === undefined ? {} : { limits: limitsFrom(limits, before.limits) }),
    ...(budgets === undefined ? {} : { budgets: budgetsFrom(budgets, before.budgets) }),
    ...(models === undefined ? {} : { models: models === null ? undefined : [...new Set(models)] }),
    ...(body.presets_only === undefined ? {} : { presetsOnly: body.presets_only || undefined }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(body.disabled === undefined ? {} : { disabled: body.disabled || undefined }),
  };
}

/** Returns the names of the body's fields whose value changes a record. */
export function changedKeyFields(record: ApiKeyRecord, body: KeyPatch): string[] {
  const fieldsOfBody = Object.entries({ ...body }).filter(([, value]) => value !== undefined);
  return fieldsOfBody
    .filter(([name]) => {
      const next = keyFieldsFrom({ [name]: body[name as keyof KeyPatch] }, record);
      return Object.entries(next).some(
        ([field, value]) => JSON.stringify(value) !== JSON.stringify(record[field as keyof ApiKeyRecord]),
      );
    })
    .map(([name]) => name);
}

/** Checks rules that JSON Schema cannot express. @throws AppError `validation_failed` naming every invalid field. */
export function checkKeyBody(body: KeyBody, nowMs: number): void {
  const issues: FieldIssue[] = inexactIssues(body);
  if (body.expires_at && Date.parse(body.expires_at) <= nowMs) {
    issues.push({ pointer: '/expires_at', detail: 'must be in the future' });
  }
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
  }
}
