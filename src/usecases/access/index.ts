import type { ApiKeys, Clock, PolicyChanges, Signals, Tenants } from '../../domain/ports.ts';
import { type BootstrapKeys, createAuthenticate } from './authenticate.ts';
import { createManageKeys } from './manage-keys.ts';
import { createPolicyCache } from './policy-cache.ts';
import { createPolicyOf } from './policy-of.ts';

/** Everything that the verbs of access need. */
export interface AccessDeps {
  readonly apiKeys: ApiKeys;
  readonly tenants: Tenants;
  readonly policyChanges: PolicyChanges;
  readonly signals: Pick<Signals, 'onPolicyChange'>;
  readonly bootstrapKeys: BootstrapKeys;
  readonly createKeyText: () => { id: string; key: string };
  /** SHA-256, hex. */
  readonly digest: (text: string) => string;
  /** Compares two digests in constant time. */
  readonly sameDigest: (a: string, b: string) => boolean;
  /** Returns the id inside a key, or `null` if form or checksum are wrong. */
  readonly keyIdOf: (key: string) => string | null;
  readonly clock: Clock;
}

/** Builds the verbs of API keys and tenants. */
export function createAccess(deps: AccessDeps) {
  const { apiKeys, tenants, policyChanges, signals, clock } = deps;
  const { bootstrapKeys, createKeyText, digest, sameDigest, keyIdOf } = deps;
  const policies = createPolicyCache({ apiKeys, tenants, changes: policyChanges, signals, clock });
  return {
    authenticate: createAuthenticate({ policies, bootstrapKeys, digest, sameDigest, keyIdOf, clock }),
    /** Returns the rules for the key and the tenant of a job. */
    policyOf: createPolicyOf({ policies }),
    manageKeys: createManageKeys({ apiKeys, createKeyText, digest, clock }),
  };
}
export type Access = ReturnType<typeof createAccess>;
