import type { ApiKeyRecord, Caller } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import { type KeyView, viewKey } from '../../domain/key-view.ts';
import type { Clock, KeyUse } from '../../domain/ports.ts';
import type { BootstrapKeys } from './authenticate.ts';
import type { PolicyCache } from './policy-cache.ts';

interface Deps {
  policies: Pick<PolicyCache, 'key'>;
  bootstrapKeys: BootstrapKeys;
  keyUse: Pick<KeyUse, 'read'>;
  clock: Clock;
}

/** Returns the key of a caller, also if it comes from the configuration. */
export function createGetOwnKey({ policies, bootstrapKeys, keyUse, clock }: Deps) {
  const bootstrap = new Map<string, ApiKeyRecord>();
  for (const record of bootstrapKeys.byDigest.values()) bootstrap.set(record.id, record);

  return async ({ keyId }: Caller): Promise<KeyView> => {
    const record = bootstrap.get(keyId) ?? (await policies.key(keyId));
    // The key was valid when the request arrived and was removed since.
    if (!record) throw new AppError('unauthorized', { detail: 'The API key is unknown.' });
    const [lastUsedAt = null] = await keyUse.read([record]);
    return viewKey(record, { nowMs: clock(), lastUsedAt });
  };
}
export type GetOwnKey = ReturnType<typeof createGetOwnKey>;
