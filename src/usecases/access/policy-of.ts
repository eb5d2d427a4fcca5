import type { CallerPolicy } from '../../domain/access-policy.ts';
import type { ApiKeyRecord } from '../../domain/api-key.ts';
import type { PolicyCache } from './policy-cache.ts';

/** Creates the lookup of the rules for a job's key and tenant, for work without a caller. Its reads are cached. */
export function createPolicyOf({ policies }: { policies: PolicyCache }) {
  return async (tenant: string, keyId: string | undefined): Promise<CallerPolicy> => {
    await policies.refresh();
    // A key of the configuration has no record and no rules of its own.
    const key: ApiKeyRecord | null = keyId === undefined ? null : await policies.key(keyId);
    return { key: key?.tenant === tenant ? key : {}, tenant: (await policies.tenant(tenant)) ?? {} };
  };
}
export type PolicyOf = ReturnType<typeof createPolicyOf>;
