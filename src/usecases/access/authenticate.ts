import { type ApiKeyRecord, type Caller, isLive } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports.ts';
import type { TenantRecord } from '../../domain/tenant.ts';
import { isAhead } from '../../lib/is-ahead.ts';
import { within } from '../../lib/within.ts';
import type { PolicyCache } from './policy-cache.ts';
import type { RecordUse } from './record-use.ts';

interface Deps {
  policies: PolicyCache;
  recordUse: RecordUse;
  /** Keys from the configuration. */
  bootstrapKeys: BootstrapKeys;
  /** SHA-256, hex. */
  digest: (text: string) => string;
  /** Compares two digests in constant time. */
  sameDigest: (a: string, b: string) => boolean;
  /** Returns the id inside a key, or `null` if its form or checksum is wrong. No lookup is made then. */
  keyIdOf: (key: string) => string | null;
  clock: Clock;
}

/** Keys that come from the configuration instead of the store. */
export interface BootstrapKeys {
  readonly byDigest: ReadonlyMap<string, ApiKeyRecord>;
  /** Id of the operator's key, if there is one. */
  readonly operatorId?: string | undefined;
}

const cacheSize = 10_000;

/**
 * Maximum number of unknown keys of one address in a second that cost a read of the store. All callers behind a proxy or a
 * router may share an address, so a few unknown keys must not keep their keys from being read.
 */
const maxUnknownPerSecond = 100;
const secondMs = 1_000;
/** Maximum time that the operator's key waits for the rules of its tenant. The key itself is in the configuration. */
const operatorWaitMs = 250;

/**
 * Creates the authentication of callers. A key is found by its id and compared by its digest in constant time. An address
 * that sends many unknown keys gets no further lookups in that second, except of keys that were valid before. A caller that
 * was authenticated before is checked again without an address, so that unknown keys of its neighbors cannot keep the check
 * from its record.
 *
 * @throws AppError `unauthorized`, `tenant_suspended`, `too_many_requests`
 */
export function createAuthenticate(deps: Deps) {
  const { policies, bootstrapKeys } = deps;
  const callerOf = createCallers(bootstrapKeys.operatorId);
  const misses = createMissCounter();
  /** Ids of keys that were valid at an earlier request. */
  const known = new Set<string>();

  async function find(id: string, address: string | null): Promise<ApiKeyRecord | null> {
    const cached = policies.cachedKey(id);
    if (cached !== undefined) return cached;
    if (address === null || known.has(id)) return policies.key(id);
    const nowMs = deps.clock();
    misses.check(address, nowMs);
    const record = await policies.key(id);
    if (!record) misses.add(address, nowMs);
    return record;
  }

  function matches(record: ApiKeyRecord | null, digest: string): boolean {
    // An unknown id is compared too, so that it takes the same time as a wrong secret.
    if (deps.sameDigest(record?.digest ?? '0'.repeat(digest.length), digest)) return record !== null;
    const nowMs = deps.clock();
    return !!record?.previous?.some((each) => each.until > nowMs && deps.sameDigest(each.digest, digest));
  }

  async function currentTenant(name: string): Promise<TenantRecord | null> {
    await policies.refresh();
    return policies.tenant(name);
  }

  /** Returns the tenant of the operator; `null` while the store does not reply, so that the operator can read the status. */
  function tenantOfOperator(name: string): Promise<TenantRecord | null> {
    return within(operatorWaitMs, currentTenant(name)).catch(() => null);
  }

  return async (key: string, address: string | null): Promise<Caller> => {
    const digest = deps.digest(key);
    const bootstrap = bootstrapKeys.byDigest.get(digest);
    if (bootstrap && bootstrap.id === bootstrapKeys.operatorId && matches(bootstrap, digest)) {
      return callerOf(bootstrap, checkedTenant(await tenantOfOperator(bootstrap.tenant)));
    }
    await policies.refresh();
    const id = bootstrap ? null : deps.keyIdOf(key);
    const record = bootstrap ?? (id === null ? null : await find(id, address));
    if (!matches(record, digest) || !record || !isLive(record, deps.clock())) {
      throw new AppError('unauthorized', { detail: 'The API key is unknown, disabled, expired or revoked.' });
    }
    const tenant = checkedTenant(await policies.tenant(record.tenant));
    if (!bootstrap) {
      if (known.size >= cacheSize) known.clear();
      known.add(record.id);
      deps.recordUse(record);
    }
    return callerOf(record, tenant);
  };
}
export type Authenticate = ReturnType<typeof createAuthenticate>;

/** Returns a tenant that may use the service. @throws AppError `tenant_suspended` */
function checkedTenant(tenant: TenantRecord | null): TenantRecord | null {
  if (!tenant?.suspended) return tenant;
  throw new AppError('tenant_suspended', { detail: 'The operator suspended this tenant.' });
}

/** Creates callers of records. An unchanged key of an unchanged tenant is the same object in every request. */
function createCallers(operatorId: string | undefined) {
  const known = new WeakMap<ApiKeyRecord, { tenant: TenantRecord | null; caller: Caller }>();
  return (record: ApiKeyRecord, tenant: TenantRecord | null): Caller => {
    const entry = known.get(record);
    if (entry && entry.tenant === tenant) return entry.caller;
    const caller: Caller = {
      tenant: record.tenant,
      keyId: record.id,
      scopes: new Set(record.scopes),
      isOperator: record.id === operatorId,
      policy: { key: record, tenant: tenant ?? {} },
    };
    known.set(record, { tenant, caller });
    return caller;
  };
}

/** Counts unknown keys by address, in windows of a second. */
function createMissCounter() {
  const counts = new Map<string, { count: number; until: number }>();
  const current = (address: string, nowMs: number) => {
    const entry = counts.get(address);
    return entry && isAhead(entry.until, nowMs, secondMs) ? entry : undefined;
  };
  return {
    check(address: string, nowMs: number): void {
      const entry = current(address, nowMs);
      if (!entry || entry.count < maxUnknownPerSecond) return;
      throw new AppError('too_many_requests', {
        detail: 'Too many unknown API keys from this address. Retry later with a valid key.',
        retryAfterSeconds: Math.ceil((entry.until - nowMs) / 1000),
      });
    },
    add(address: string, nowMs: number): void {
      if (counts.size >= cacheSize) counts.clear();
      const entry = current(address, nowMs) ?? { count: 0, until: nowMs + secondMs };
      counts.set(address, { ...entry, count: entry.count + 1 });
    },
  };
}
