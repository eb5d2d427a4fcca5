import { type ApiKeyRecord, type Scope, tenantPattern } from '../../domain/api-key.ts';
import { auditEntryOf } from '../../domain/audit.ts';
import { endStaleOverrides, liveOverrides } from '../../domain/budget-override.ts';
import { creationClaim, keyReused } from '../../domain/creation-claim.ts';
import { AppError } from '../../domain/errors.ts';
import {
  changedKeyFields,
  checkKeyBody,
  type KeyBody,
  type KeyPatch,
  keyFieldsFrom,
} from '../../domain/key-body.ts';
import { type KeyView, viewKey } from '../../domain/key-view.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import { nearestName } from '../../domain/nearest-name.ts';
import type { KeyWithSpending } from '../../domain/own-key-view.ts';
import type { ApiKeys, Clock, KeyUse } from '../../domain/ports.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { createChangeKey, managedKey, refuseRevoked } from './managed-key.ts';
import { type Manager, refuseLaterExpiry, refuseLongerKey, refuseRestricted } from './manager.ts';
import { refuseLockout, refuseOwnKey } from './own-key.ts';
import type { ReadSpending } from './read-spending.ts';

interface Deps {
  apiKeys: ApiKeys;
  keyUse: Pick<KeyUse, 'read'>;
  readSpending: ReadSpending;
  /** Creates a text for a new key, or a new text for the id of a key. */
  createKeyText: (of?: string) => { id: string; key: string };
  /** SHA-256, hex. */
  digest: (text: string) => string;
  catalogue: ModelCatalogue;
  allowUnknownModels: boolean;
  clock: Clock;
}

const usualScopes: readonly Scope[] = ['images:write', 'images:read', 'webhooks'];
/** Maximum number of replaced texts that are valid at the same time. */
const maxPrevious = 4;

/** A key with its text, which no later response contains. */
export type KeyWithText = KeyView & { readonly key: string };

/**
 * Creates, returns, changes, rotates and revokes API keys. A manager sees the keys of its tenant only. Every change takes effect
 * in all processes within a second.
 */
export function createManageKeys(deps: Deps) {
  const change = createChangeKey(deps.apiKeys);

  async function present(record: ApiKeyRecord): Promise<KeyView> {
    const [lastUsedAt = null] = await deps.keyUse.read([record]);
    return viewKey(record, { nowMs: deps.clock(), lastUsedAt });
  }

  function check(manager: Manager, body: KeyPatch, nowMs: number): void {
    checkKeyBody(body, nowMs);
    refuseRestricted(manager);
    if (deps.allowUnknownModels) return;
    for (const [i, model] of (body.models ?? []).entries()) checkModel(model, deps.catalogue, `/models/${i}`);
  }

  function newRecord(manager: Manager, body: KeyBody, at: number): { record: ApiKeyRecord; key: string } {
    const { tenant = manager.defaultTenant, ...rest } = body;
    checkTenant(manager, tenant);
    const { id, key } = deps.createKeyText();
    const base = { version: 1, id, tenant, name: 'unnamed', scopes: [...usualScopes] };
    const fields = keyFieldsFrom(rest);
    refuseLaterExpiry(manager, fields.expiresAt);
    return { record: { ...base, digest: deps.digest(key), createdAt: at, ...fields }, key };
  }

  return {
    /**
     * Creates a key. A request with the idempotency key of an earlier one returns the key of that request. Its text is absent,
     * because only its digest is stored.
     *
     * @throws AppError `validation_failed`, `insufficient_scope`, `idempotency_key_reused`, `too_many_keys`
     */
    async create(
      manager: Manager,
      body: KeyBody,
      idempotencyKey?: string,
    ): Promise<KeyView & Partial<KeyWithText>> {
      const at = deps.clock();
      check(manager, body, at);
      const { record, key } = newRecord(manager, body, at);
      const { tenant, id } = record;
      const audit = auditEntryOf(manager.actor, { at, tenant, action: 'key.created', target: id });
      const claim = creationClaim(deps.digest, { idempotencyKey, request: canonicalJson(body) });
      const outcome = await deps.apiKeys.create({ record, audit }, claim);
      if (outcome.kind === 'key_reused') throw keyReused();
      if (outcome.kind === 'full') {
        throw new AppError('too_many_keys', {
          detail: `The tenant has ${outcome.maxKeys} keys, revoked ones included. Rotate a key instead, or raise MAX_KEYS_PER_TENANT.`,
        });
      }
      if (outcome.kind === 'replayed') return present(outcome.record);
      return { ...viewKey(record, { nowMs: at, lastUsedAt: null }), key };
    },

    /** @throws AppError `not_found`, also for a key of another tenant. */
    async get(manager: Manager, id: string): Promise<KeyWithSpending> {
      const record = managedKey(manager, await deps.apiKeys.get(id));
      const [spending = []] = await deps.readSpending([record]);
      return { ...(await present(record)), spending };
    },

    /** Returns a page, newest first. @throws AppError `insufficient_scope` for another tenant. */
    async list(
      manager: Manager,
      query: { tenant?: string | undefined; limit: number; before?: string | undefined },
    ): Promise<{ keys: KeyWithSpending[]; next: string | null }> {
      const { tenant = manager.tenant ?? undefined, limit, before } = query;
      if (manager.tenant !== null && tenant !== manager.tenant) throw otherTenant('/query/tenant');
      const { keys, next } = await deps.apiKeys.list({ tenant, limit, before });
      const [uses, spending] = await Promise.all([deps.keyUse.read(keys), deps.readSpending(keys)]);
      const nowMs = deps.clock();
      const views = keys.map((record, i) => ({
        ...viewKey(record, { nowMs, lastUsedAt: uses[i] ?? null }),
        spending: spending[i] ?? [],
      }));
      return { keys: views, next };
    },

    /** @throws AppError `not_found`, `validation_failed`, `insufficient_scope`, `key_revoked`, `own_key` */
    async update(manager: Manager, id: string, body: KeyPatch): Promise<KeyView> {
      const at = deps.clock();
      check(manager, body, at);
      const fields = keyFieldsFrom(body);
      const record = await change(manager, id, (current) => {
        refuseRevoked(current);
        if ('expiresAt' in fields) refuseLaterExpiry(manager, fields.expiresAt);
        const next = endStaleOverrides(current, {
          ...current,
          ...keyFieldsFrom(body, current),
          updatedAt: at,
        });
        refuseLongerKey(manager, next);
        const names = changedKeyFields(current, body);
        if (names.length === 0) return null;
        refuseLockout(manager, next, names);
        const { tenant } = current;
        const hasEndedRaises = liveOverrides(current, at).length > liveOverrides(next, at).length;
        const changed = [...names, ...(hasEndedRaises ? ['budget_overrides'] : [])];
        const entry = { at, tenant, action: 'key.changed', target: id, fields: changed } as const;
        return { record: next, audit: auditEntryOf(manager.actor, entry) };
      });
      return present(record);
    },

    /**
     * Replaces the text of a key. Earlier texts stay valid for the grace period at most.
     *
     * @throws AppError `not_found`, `key_revoked`, `too_many_secrets`, `insufficient_scope`
     */
    async rotate(manager: Manager, id: string, graceSeconds: number): Promise<KeyWithText> {
      if (manager.own?.id !== id) refuseRestricted(manager);
      const at = deps.clock();
      const { key } = deps.createKeyText(id);
      const digest = deps.digest(key);
      const record = await change(manager, id, (current) => {
        refuseRevoked(current);
        refuseLongerKey(manager, current);
        const { tenant } = current;
        return {
          record: { ...current, digest, previous: previousOf(current, at, graceSeconds), updatedAt: at },
          audit: auditEntryOf(manager.actor, { at, tenant, action: 'key.rotated', target: id }),
        };
      });
      return { ...(await present(record)), key };
    },

    /** Revokes a key. Final and idempotent. @throws AppError `not_found`, `insufficient_scope`, `own_key` */
    async revoke(manager: Manager, id: string): Promise<KeyView> {
      refuseOwnKey(manager, id);
      refuseRestricted(manager);
      const at = deps.clock();
      const record = await change(manager, id, (current) => {
        if (current.revokedAt !== undefined) return null;
        const { tenant } = current;
        const audit = auditEntryOf(manager.actor, { at, tenant, action: 'key.revoked', target: id });
        return { record: { ...current, revokedAt: at, updatedAt: at }, audit };
      });
      return present(record);
    },
  };
}
export type ManageKeys = ReturnType<typeof createManageKeys>;

/** Returns the replaced texts that stay valid. @throws AppError `too_many_secrets` */
function previousOf(current: ApiKeyRecord, nowMs: number, graceSeconds: number) {
  const end = nowMs + graceSeconds * 1000;
  const older = (current.previous ?? []).map((each) => ({ ...each, until: Math.min(each.until, end) }));
  const live = [{ digest: current.digest, until: end }, ...older].filter(({ until }) => until > nowMs);
  if (live.length <= maxPrevious) return live.length > 0 ? live : undefined;
  throw new AppError('too_many_secrets', {
    detail: `${maxPrevious} earlier texts of this key are still valid. Wait until one expires, or pass a grace_s of 0.`,
  });
}

function checkTenant(manager: Manager, tenant: string | undefined): asserts tenant is string {
  if (tenant === undefined || !tenantPattern.test(tenant)) {
    throw new AppError('validation_failed', {
      detail: 'A tenant is 1 to 64 letters, digits, dashes and underscores, starting with a letter or digit.',
      issues: [{ pointer: '/tenant', detail: 'is not the name of a tenant' }],
    });
  }
  if (manager.tenant !== null && tenant !== manager.tenant) throw otherTenant('/tenant');
}

function checkModel(name: string, catalogue: ModelCatalogue, pointer: string): void {
  if (catalogue.find(name)) return;
  const nearest = nearestName(
    name,
    catalogue.models.flatMap(({ id, aliases }) => [id, ...aliases]),
  );
  const suggestion = nearest ? ` Did you mean ${nearest}?` : '';
  throw new AppError('model_unknown', {
    detail: `${name} is not in the catalogue of this deployment.${suggestion} GET /models lists the models.`,
    issues: [{ pointer, detail: 'not in the catalogue' }],
  });
}

function otherTenant(pointer: string): AppError {
  return new AppError('insufficient_scope', {
    detail: "Only the operator's key manages the keys of other tenants.",
    issues: [{ pointer, detail: "must be the caller's tenant" }],
  });
}
