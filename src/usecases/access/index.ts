import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type {
  ApiKeys,
  AuditLog,
  Clock,
  KeyUse,
  Log,
  PolicyChanges,
  RequestLimits,
  Signals,
  Spending,
  Tenants,
} from '../../domain/ports.ts';
import { type BootstrapKeys, createAuthenticate } from './authenticate.ts';
import { createGetOwnKey } from './get-own-key.ts';
import { createLimitRequests } from './limit-requests.ts';
import { createListAudit } from './list-audit.ts';
import { createManageKeys } from './manage-keys.ts';
import { createManageTenants } from './manage-tenants.ts';
import { createOverrideBudget } from './override-budget.ts';
import { createPolicyCache } from './policy-cache.ts';
import { createPolicyOf } from './policy-of.ts';
import { createReadSpending } from './read-spending.ts';
import { createRecordUse } from './record-use.ts';

/** Everything that the verbs of access need. */
export interface AccessDeps {
  readonly apiKeys: ApiKeys;
  readonly keyUse: KeyUse;
  readonly tenants: Tenants;
  readonly spending: Spending;
  readonly audit: AuditLog;
  readonly policyChanges: PolicyChanges;
  readonly requestLimits: RequestLimits;
  readonly signals: Pick<Signals, 'onPolicyChange'>;
  readonly bootstrapKeys: BootstrapKeys;
  readonly catalogue: ModelCatalogue;
  readonly allowUnknownModels: boolean;
  /** Creates a text for a new key, or a new text for the id of a key. */
  readonly createKeyText: (of?: string) => { id: string; key: string };
  /** SHA-256, hex. */
  readonly digest: (text: string) => string;
  /** Compares two digests in constant time. */
  readonly sameDigest: (a: string, b: string) => boolean;
  /** Returns the id inside a key, or `null` if form or checksum are wrong. */
  readonly keyIdOf: (key: string) => string | null;
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
}

/** Builds the verbs of API keys and tenants. */
export function createAccess(deps: AccessDeps) {
  const { apiKeys, keyUse, tenants, policyChanges, signals, clock, sleep, log } = deps;
  const { bootstrapKeys, createKeyText, digest, sameDigest, keyIdOf } = deps;
  const { catalogue, allowUnknownModels } = deps;
  const policies = createPolicyCache({ apiKeys, tenants, changes: policyChanges, signals, clock });
  const readSpending = createReadSpending({ spending: deps.spending, clock });
  const recordUse = createRecordUse({ keyUse, clock, sleep, log });
  return {
    authenticate: createAuthenticate({
      ...{ policies, bootstrapKeys, recordUse, digest, sameDigest, keyIdOf, clock },
    }),
    limitRequests: createLimitRequests(deps),
    /** Returns the rules for the key and the tenant of a job. */
    policyOf: createPolicyOf({ policies }),
    getOwnKey: createGetOwnKey({ policies, bootstrapKeys, keyUse, readSpending, clock }),
    manageKeys: createManageKeys({
      ...{ apiKeys, keyUse, readSpending, createKeyText, digest, clock, catalogue, allowUnknownModels },
    }),
    listAudit: createListAudit({ audit: deps.audit, clock }),
    manageTenants: createManageTenants({ tenants, clock }),
    overrideBudget: createOverrideBudget({ apiKeys, tenants, digest, clock }),
  };
}
export type Access = ReturnType<typeof createAccess>;
