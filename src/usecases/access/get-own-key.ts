import type { ApiKeyRecord, Caller } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import { viewKey } from '../../domain/key-view.ts';
import type { OwnKeyView } from '../../domain/own-key-view.ts';
import type { Clock, KeyUse } from '../../domain/ports.ts';
import type { BootstrapKeys } from './authenticate.ts';
import type { PolicyCache } from './policy-cache.ts';
import type { ReadSpending } from './read-spending.ts';

interface Deps {
  policies: Pick<PolicyCache, 'key'>;
  bootstrapKeys: BootstrapKeys;
  keyUse: Pick<KeyUse, 'read'>;
  readSpending: ReadSpending;
  clock: Clock;
}

/** Returns the key of a caller with the figures of its budgets, also if it comes from the configuration. */
export function createGetOwnKey({ policies, bootstrapKeys, keyUse, readSpending, clock }: Deps) {
  const bootstrap = new Map<string, ApiKeyRecord>();
  for (const record of bootstrapKeys.byDigest.values()) bootstrap.set(record.id, record);

  return async ({ keyId, isOperator }: Caller): Promise<OwnKeyView> => {
    const record = bootstrap.get(keyId) ?? (await policies.key(keyId));
    // The key was valid when the request arrived and was removed since.
    if (!record) throw new AppError('unauthorized', { detail: 'The API key is unknown.' });
    const [lastUsedAt = null] = await keyUse.read([record]);
    const [budgets = []] = await readSpending([record]);
    return { ...viewKey(record, { nowMs: clock(), lastUsedAt }), budgets, operator: isOperator };
  };
}
export type GetOwnKey = ReturnType<typeof createGetOwnKey>;
