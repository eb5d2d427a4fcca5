import { type ApiKeyRecord, type Scope, tenantPattern } from '../../domain/api-key.ts';
import { type Actor, auditEntryOf } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiKeys, Clock } from '../../domain/ports.ts';

interface Deps {
  apiKeys: ApiKeys;
  createKeyText: () => { id: string; key: string };
  /** SHA-256, hex. */
  digest: (text: string) => string;
  clock: Clock;
}

const pageSize = 100;

/** Creates, lists and revokes API keys. Only the response of the creation contains the text of a key. */
export function createManageKeys(deps: Deps) {
  return {
    async create(
      actor: Actor,
      options: {
        tenant: string;
        name: string;
        scopes: readonly Scope[];
        expiresInDays?: number | undefined;
      },
    ): Promise<{ record: ApiKeyRecord; key: string }> {
      if (!tenantPattern.test(options.tenant)) {
        throw new AppError('validation_failed', {
          detail:
            'A tenant is 1 to 64 letters, digits, dashes and underscores, starting with a letter or digit.',
        });
      }
      const { id, key } = deps.createKeyText();
      const createdAt = deps.clock();
      const record: ApiKeyRecord = {
        version: 1,
        id,
        tenant: options.tenant,
        name: options.name,
        digest: deps.digest(key),
        scopes: [...options.scopes],
        createdAt,
        ...(options.expiresInDays
          ? { expiresAt: Math.ceil(createdAt + options.expiresInDays * 86_400_000) }
          : {}),
      };
      const { tenant } = record;
      const audit = auditEntryOf(actor, { at: createdAt, tenant, action: 'key.created', target: id });
      await deps.apiKeys.create({ record, audit });
      return { record, key };
    },

    /** Returns every key, newest first. */
    async list(tenant?: string): Promise<ApiKeyRecord[]> {
      const all: ApiKeyRecord[] = [];
      for (let before: string | null | undefined; before !== null; ) {
        const page = await deps.apiKeys.list({ tenant, limit: pageSize, before });
        all.push(...page.keys);
        before = page.next;
      }
      return all;
    },

    /**
     * Revokes a key in all processes within a second.
     *
     * @throws AppError `not_found`
     */
    async revoke(actor: Actor, id: string): Promise<ApiKeyRecord> {
      const at = deps.clock();
      const revoked = await deps.apiKeys.update(id, (record) => {
        if (record.revokedAt !== undefined) return null;
        const { tenant } = record;
        const audit = auditEntryOf(actor, { at, tenant, action: 'key.revoked', target: id });
        return { record: { ...record, revokedAt: at }, audit };
      });
      if (!revoked) {
        throw new AppError('not_found', {
          detail: `There is no key ${id}. List them with: darkroom keys list`,
        });
      }
      return revoked;
    },
  };
}
export type ManageKeys = ReturnType<typeof createManageKeys>;
