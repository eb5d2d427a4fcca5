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
  /** Returns the id inside a key, or `null` if its form or checksum is wrong. No lookup is made then. */
  keyIdOf: (key: string) => string | null;
  clock: Clock;
}

/** Lifetime of a cached key. A revoked key stops working within this time even if the message is lost. */
const cacheMs = 5_000;
const cacheSize = 10_000;

/** Maximum number of unknown keys of one address in a minute that cost a read of the store. */
const maxUnknownPerMinute = 30;
const minuteMs = 60_000;

/**
 * Creates the authentication of callers. A key is found by its id and compared by its digest in constant time. Found and
 * unknown ids are cached for a few seconds. An address that sends many unknown keys gets no further lookups for a minute;
 * cached keys of other callers at the same address still work.
 *
 * @throws AppError `unauthorized`, `too_many_requests`
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

  const misses = createMissCounter();

  async function find(id: string, address: string): Promise<ApiKeyRecord | null> {
    const nowMs = deps.clock();
    const cached = cache.get(id);
    if (cached && cached.until > nowMs) return cached.record;
    misses.check(address, nowMs);
    const record = await deps.apiKeys.get(id);
    if (!record) misses.add(address, nowMs);
    if (cache.size >= cacheSize) cache.clear();
    cache.set(id, { record, until: nowMs + cacheMs });
    return record;
  }

  return async (key: string, address: string): Promise<Caller> => {
    const digest = deps.digest(key);
    const bootstrap = deps.bootstrapKeys.get(digest);
    const id = bootstrap ? null : deps.keyIdOf(key);
    const record = bootstrap ?? (id === null ? null : await find(id, address));
    // An unknown id is compared too, so that it takes the same time as a wrong secret.
    const matches = deps.sameDigest(record?.digest ?? '0'.repeat(digest.length), digest);
    if (!record || !matches || !isLive(record, deps.clock())) {
      throw new AppError('unauthorized', { detail: 'The API key is unknown, expired or revoked.' });
    }
    return callerOf(record);
  };
}
export type Authenticate = ReturnType<typeof createAuthenticate>;

/** Counts unknown keys by address, in windows of a minute. */
function createMissCounter() {
  const counts = new Map<string, { count: number; until: number }>();
  const current = (address: string, nowMs: number) => {
    const entry = counts.get(address);
    return entry && entry.until > nowMs ? entry : undefined;
  };
  return {
    check(address: string, nowMs: number): void {
      const entry = current(address, nowMs);
      if (!entry || entry.count < maxUnknownPerMinute) return;
      throw new AppError('too_many_requests', {
        detail: 'Too many unknown API keys from this address. Retry later with a valid key.',
        retryAfterSeconds: Math.ceil((entry.until - nowMs) / 1000),
      });
    },
    add(address: string, nowMs: number): void {
      if (counts.size >= cacheSize) counts.clear();
      const entry = current(address, nowMs) ?? { count: 0, until: nowMs + minuteMs };
      counts.set(address, { ...entry, count: entry.count + 1 });
    },
  };
}
