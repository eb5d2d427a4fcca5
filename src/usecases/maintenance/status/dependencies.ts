import type { ImageStorage, StoreMemory, StoreServer } from '../../../domain/ports.ts';
import type { PartState, SystemStatus } from '../../../domain/system-status.ts';
import { within } from '../../../lib/within.ts';
import { checked, partLimitMs } from './part.ts';

/** Reads of the store that the status of Redis needs. */
export interface RedisDeps {
  /** Writes to Redis on every connection, and checks its eviction policy. */
  readonly checkStore: () => Promise<void>;
  readonly checkDurability: () => Promise<{ ok: boolean; detail: string | null }>;
  readonly checkMemory: () => { ok: boolean; detail: string | null };
  /** Sends a command that does nothing. */
  readonly pingStore: () => Promise<unknown>;
  readonly readServer: () => Promise<StoreServer>;
  readonly readMemory: () => Promise<StoreMemory | null>;
  readonly isAofOn: () => Promise<boolean | null>;
}

/** Returns the status of Redis. The checks are those of readiness. */
export async function redisStatus(deps: RedisDeps): Promise<SystemStatus['redis']> {
  const [store, ping, durability, server, memory, isAofOn] = await Promise.all([
    checked(deps.checkStore),
    checked(deps.pingStore),
    orNull(deps.checkDurability()),
    orNull(deps.readServer()),
    orNull(deps.readMemory()),
    orNull(deps.isAofOn()),
  ]);
  return {
    ...healthOf(store.fault, [durability, deps.checkMemory()]),
    version: server?.version ?? null,
    role: server?.role ?? null,
    used_bytes: memory?.usedBytes ?? null,
    max_bytes: memory?.limitBytes ?? null,
    aof_enabled: isAofOn,
    latency_ms: ping.fault === null ? ping.ms : null,
  };
}

function healthOf(
  fault: string | null,
  checks: readonly ({ detail: string | null } | null)[],
): { state: PartState; detail: string | null } {
  if (fault !== null) return { state: 'down', detail: fault };
  const detail = checks.find((check) => check?.detail)?.detail ?? null;
  return { state: detail === null ? 'ok' : 'degraded', detail };
}

/** Returns the status of the storage. */
export async function storageStatus(
  storage: Pick<ImageStorage, 'check'>,
  location: string,
): Promise<SystemStatus['storage']> {
  const { fault, ms } = await checked(() => storage.check());
  return {
    ...{ state: fault === null ? 'ok' : 'down', detail: fault, location },
    latency_ms: fault === null ? ms : null,
  };
}

function orNull<T>(work: Promise<T>): Promise<T | null> {
  return within(partLimitMs, work).catch(() => null);
}
