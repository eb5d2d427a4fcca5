import type { PolicyName } from '../../domain/access-policy.ts';
import type { ApiKeyRecord } from '../../domain/api-key.ts';
import type { ApiKeys, Clock, PolicyChanges, Signals, Tenants } from '../../domain/ports.ts';
import type { TenantRecord } from '../../domain/tenant.ts';
import { isAhead } from '../../lib/is-ahead.ts';

interface Deps {
  apiKeys: Pick<ApiKeys, 'get'>;
  tenants: Pick<Tenants, 'get'>;
  changes: PolicyChanges;
  signals: Pick<Signals, 'onPolicyChange'>;
  clock: Clock;
}

/** Age of the last look at the changes after which another one starts in the background, in milliseconds. */
const lookAfterMs = 400;
/** Maximum age of the last look. An older one delays the request, so that a change takes effect within a second. */
const maxAgeMs = 800;
/** Lifetime of a cached record. It bounds what a process that ended between a change and its announcement can cost. */
const recordMs = 30_000;
const maxRecords = 20_000;

/**
 * Creates the cache of keys and tenants. A message invalidates a record at once. Because a message can be lost, the process
 * also reads the log of changes while it has requests: one short read in 400 ms, whatever the number of requests and keys.
 */
export function createPolicyCache(deps: Deps) {
  const keys = createRecordCache((id) => deps.apiKeys.get(id), deps.clock);
  const tenants = createRecordCache((name) => deps.tenants.get(name), deps.clock);

  let position: string | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const invalidate = ({ kind, name }: PolicyName) => (kind === 'key' ? keys : tenants).delete(name);
  deps.signals.onPolicyChange(invalidate);

  async function lookAtChanges(): Promise<void> {
    const startedAt = deps.clock();
    const { position: next, changes } = await deps.changes.read(position);
    position = next;
    if (changes) {
      for (const changed of changes) invalidate(changed);
    } else {
      keys.clear();
      tenants.clear();
    }
    lookedAt = startedAt;
  }

  function look(): Promise<void> {
    looking ??= lookAtChanges().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function refresh(): Promise<void> {
    // A look that seems to be in the future was made before the clock was set back.
    const ageMs = Math.abs(deps.clock() - lookedAt);
    if (ageMs < lookAfterMs) return;
    const done = look();
    // An outage delays no request until the last look is too old. That request then reports the outage.
    if (ageMs < maxAgeMs) done.catch(() => {});
    else await done;
  }

  return {
    /** Makes cached records current to less than a second. @throws AppError `store_unavailable` */
    refresh,
    /** Returns a cached key, without a read. */
    cachedKey: (id: string): ApiKeyRecord | null | undefined => keys.cached(id),
    key: (id: string): Promise<ApiKeyRecord | null> => keys.get(id),
    tenant: (name: string): Promise<TenantRecord | null> | TenantRecord | null => {
      const cached = tenants.cached(name);
      return cached === undefined ? tenants.get(name) : cached;
    },
  };
}
export type PolicyCache = ReturnType<typeof createPolicyCache>;

/** Creates a bounded cache of records. Concurrent reads of one record share a read of the store. */
function createRecordCache<Row>(read: (name: string) => Promise<Row | null>, clock: Clock) {
  const rows = new Map<string, { row: Row | null; until: number }>();
  const reads = new Map<string, Promise<Row | null>>();

  function cached(name: string): Row | null | undefined {
    const entry = rows.get(name);
    return entry && isAhead(entry.until, clock(), recordMs) ? entry.row : undefined;
  }

  async function load(name: string): Promise<Row | null> {
    const until = clock() + recordMs;
    const reading = read(name);
    reads.set(name, reading);
    try {
      const row = await reading;
      // A read that began before a change may have returned the old record, so only an undisturbed read is cached.
      if (reads.get(name) === reading) {
        if (rows.size >= maxRecords) rows.clear();
        rows.set(name, { row, until });
      }
      return row;
    } finally {
      if (reads.get(name) === reading) reads.delete(name);
    }
  }

  return {
    cached,
    async get(name: string): Promise<Row | null> {
      const row = cached(name);
      if (row !== undefined) return row;
      return reads.get(name) ?? load(name);
    },
    delete(name: string): void {
      rows.delete(name);
      reads.delete(name);
    },
    clear(): void {
      rows.clear();
      reads.clear();
    },
  };
}
