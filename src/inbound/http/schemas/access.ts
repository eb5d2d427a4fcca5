import { z } from 'zod';
import { budgetWindows } from '../../../domain/access-policy.ts';
import { scopes } from '../../../domain/api-key.ts';
import { AuditActorView, AuditEntryView, actorTypes, shownActions } from '../../../domain/audit-view.ts';
import { BudgetOverrideBody, BudgetOverrideView } from '../../../domain/budget-override.ts';
import { KeyBody, KeyPatch, KeyRotation } from '../../../domain/key-body.ts';
import { KeyView, shownScopes } from '../../../domain/key-view.ts';
import { KeyWithSpending, OwnBudgetView, OwnKeyView } from '../../../domain/own-key-view.ts';
import { BudgetBody, BudgetView, LimitsBody, LimitsView, shownWindows } from '../../../domain/policy-body.ts';
import { TenantBody, TenantView } from '../../../domain/tenant-body.ts';
import { pageOf, type SchemaGroup } from '../json-schema.ts';

const NewApiKey = KeyView.extend({
  key: z.string().describe('Text of the key. Only this response contains it.'),
}).describe('An API key with its text.');

/** Schemas of keys and tenants. */
export const accessSchemas: SchemaGroup = {
  requests: {
    LimitsRequest: LimitsBody,
    BudgetRequest: BudgetBody,
    ApiKeyRequest: KeyBody,
    ApiKeyPatch: KeyPatch,
    ApiKeyRotation: KeyRotation,
    TenantRequest: TenantBody,
    BudgetOverrideRequest: BudgetOverrideBody,
  },
  responses: {
    Limits: LimitsView,
    Budget: BudgetView,
    ApiKey: KeyView,
    ApiKeyWithSpending: KeyWithSpending,
    NewApiKey,
    OwnBudget: OwnBudgetView,
    OwnApiKey: OwnKeyView,
    BudgetOverride: BudgetOverrideView,
    ApiKeyList: pageOf(KeyWithSpending),
    Tenant: TenantView,
    AuditActor: AuditActorView,
    AuditEntry: AuditEntryView,
    AuditLog: pageOf(AuditEntryView),
  },
  values: {
    AuditActorType: { values: actorTypes, description: 'Kind of an author.' },
    AuditAction: {
      values: shownActions,
      description: 'Kind of a change; `other` for a kind of a newer release.',
    },
    Scope: {
      values: scopes,
      description: 'Permission of a key. `admin` includes all others within its tenant.',
    },
    GrantedScope: {
      values: shownScopes,
      description: 'A scope as stored; `other` for a scope of a newer release.',
    },
    BudgetWindow: {
      values: budgetWindows,
      description: 'Period of a budget in UTC. A week begins on Monday; `total` never starts again.',
    },
    GrantedBudgetWindow: {
      values: shownWindows,
      description: 'A window as stored; `other` for a window of a newer release.',
    },
  },
};
