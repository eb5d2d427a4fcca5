import type { ApiKeyRecord, Caller } from '../../domain/api-key.ts';
import { capsOfOwner } from '../../domain/budget.ts';
import { AppError } from '../../domain/errors.ts';
import { viewKey } from '../../domain/key-view.ts';
import { type OwnKeyView, viewOwnBudget } from '../../domain/own-key-view.ts';
import type { Clock, KeyUse, Spending } from '../../domain/ports.ts';
import type { BootstrapKeys } from './authenticate.ts';
import type { PolicyCache } from './policy-cache.ts';

interface Deps {
  policies: Pick<PolicyCache, 'key'>;
  bootstrapKeys: BootstrapKeys;
  keyUse: Pick<KeyUse, 'read'>;
  spending: Spending;
  clock: Clock;
}

const nothing = { heldMicroUsd: 0, spentMicroUsd: 0 };

/** Returns the key of a caller with the figures of its budgets, also if it comes from the configuration. */
export function createGetOwnKey({ policies, bootstrapKeys, keyUse, spending, clock }: Deps) {
  const bootstrap = new Map<string, ApiKeyRecord>();
  for (const record of bootstrapKeys.byDigest.values()) bootstrap.set(record.id, record);

  return async ({ tenant, keyId }: Caller): Promise<OwnKeyView> => {
    const record = bootstrap.get(keyId) ?? (await policies.key(keyId));
    // The key was valid when the request arrived and was removed since.
    if (!record) throw new AppError('unauthorized', { detail: 'The API key is unknown.' });
    const [lastUsedAt = null] = await keyUse.read([record]);
    const nowMs = clock();
    const caps = capsOfOwner('key', record, { keyId, acceptedAtMs: nowMs, nowMs });
    const figures = await spending.read(tenant, caps);
    const budgets = caps.map((cap, i) => viewOwnBudget(cap, figures[i] ?? nothing));
    return { ...viewKey(record, { nowMs, lastUsedAt }), budgets };
  };
}
export type GetOwnKey = ReturnType<typeof createGetOwnKey>;
