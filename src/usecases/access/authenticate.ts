import { type ApiKeyRecord, type Caller, isLive } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiKeys, Clock, Signals } from '../../domain/ports.ts';

interface Deps {
  apiKeys: Pick<ApiKeys, 'get'>;
  signals: Pick<Signals, 'onKeyChange'>;
  /** Keys from the configuration, by digest. */
  bootstrapKeys: ReadonlyMap<string, ApiKeyRecord>;
  /** SHA-256, hex. */
  digest: (text: string) => string;
  /** Compares two digests in constant time. */
  sameDigest: (a: string, b: string) => boolean;
  /** The id inside a key, or `null` where its form or checksum is wrong: then no lookup is made. */
  keyIdOf: (key: string) => string | null;
  clock: Clock;
}

/** A revoked key stops working everywhere within this time, should the message be lost. */
const cacheMs = 5_000;
const cacheSize = 10_000;

/**
 * Tells who calls. A key is looked up by its id and compared by its digest in constant time; answers are cached for a
 * few seconds, and so are misses, so that guessing costs the store little.
 *
 * @throws AppError `unauthorized`
 */
export function createAuthenticate(deps: Deps) {
  const cache = new Map<string, { record: ApiKeyRecord | null; until: number }>();

  deps.signals.onKeyChange((id) => void cache.delete(id));

  const callers = new WeakMap<ApiKeyRecord, Caller>();
  function callerOf(record: ApiKeyRecord): Caller {
    const known = callers.get(record);
    if (known) return known;
    const caller = { tenant: record.tenant, keyId: record.id, scopes: new Set(record.scopes) };
    callers.set(record, caller);
    return caller;
  }

  async function find(id: string): Promise<ApiKeyRecord | null> {
    const nowMs = deps.clock();
    const cached = cache.get(id);
    if (cached && cached.until > nowMs) return cached.record;
    const record = await deps.apiKeys.get(id);
    if (cache.size >= cacheSize) cache.clear();
    cache.set(id, { record, until: nowMs + cacheMs });
    return record;
  }

  return async (key: string): Promise<Caller> => {
    const digest = deps.digest(key);
    const bootstrap = deps.bootstrapKeys.get(digest);
    const id = bootstrap ? null : deps.keyIdOf(key);
    const record = bootstrap ?? (id === null ? null : await find(id));
    // An unknown id is compared as well, so that it takes the same time as a wrong secret.
    const matches = deps.sameDigest(record?.digest ?? '0'.repeat(digest.length), digest);
    if (!record || !matches || !isLive(record, deps.clock())) {
      throw new AppError('unauthorized', { detail: 'The API key is unknown, expired or revoked.' });
    }
    return callerOf(record);
  };
}
export type Authenticate = ReturnType<typeof createAuthenticate>;
