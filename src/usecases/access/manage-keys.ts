import { type ApiKeyRecord, type Scope, tenantPattern } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiKeys, Clock } from '../../domain/ports.ts';

interface Deps {
  apiKeys: ApiKeys;
  createKeyText: () => { id: string; key: string };
  /** SHA-256, hex. */
  digest: (text: string) => string;
  clock: Clock;
}

/** Creates, lists and revokes API keys. Only the response of the creation contains the text of a key. */
export function createManageKeys(deps: Deps) {
  return {
    async create(options: {
      tenant: string;
      name: string;
      scopes: readonly Scope[];
      expiresInDays?: number | undefined;
    }): Promise<{ record: ApiKeyRecord; key: string }> {
      if (!tenantPattern.test(options.tenant)) {
        throw new AppError('validation_failed', {
          detail:
            'A tenant is 1 to 64 letters, digits, dashes and underscores, starting with a letter or digit.',
        });
      }
      const { id, key } = deps.createKeyText();
      const createdAt = deps.clock();
      const record: ApiKeyRecord = {
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
      await deps.apiKeys.put(record);
      return { record, key };
    },

    list: (tenant?: string) => deps.apiKeys.list(tenant),

    /**
     * Revokes a key in all processes immediately. A process that misses the message follows within seconds.
     *
     * @throws AppError `not_found`
     */
    async revoke(id: string): Promise<ApiKeyRecord> {
      const record = await deps.apiKeys.get(id);
      if (!record)
        throw new AppError('not_found', {
          detail: `There is no key ${id}. List them with: darkroom keys list`,
        });
      const revoked = { ...record, revokedAt: record.revokedAt ?? deps.clock() };
      await deps.apiKeys.put(revoked);
      return revoked;
    },
  };
}
export type ManageKeys = ReturnType<typeof createManageKeys>;
