import type { ApiKeyRecord } from '../../domain/api-key.ts';
import type { Clock, KeyName, KeyUse, Log } from '../../domain/ports.ts';

interface Deps {
  keyUse: Pick<KeyUse, 'record'>;
  clock: Clock;
  sleep: (ms: number) => Promise<void>;
  log: Log;
}

/** Minimum time between two writes for one key by one process, in milliseconds. */
const pauseMs = 60_000;
/** Time for which uses are collected before they are written together, in milliseconds. */
const collectMs = 1_000;
const maxKeys = 20_000;

/**
 * Creates the record of the last use of keys. A use costs a look into a table. Each process writes a key at most once a minute,
 * together with the other keys of that second.
 */
export function createRecordUse(deps: Deps) {
  const writtenAt = new Map<string, number>();
  let pending: (KeyName & { at: number })[] = [];

  async function flush(): Promise<void> {
    await deps.sleep(collectMs);
    const uses = pending;
    pending = [];
    await deps.keyUse.record(uses).catch((error) => {
      deps.log.warn({ err: error, keys: uses.length }, 'last use of keys not recorded');
    });
  }

  return ({ tenant, id }: ApiKeyRecord): void => {
    const at = deps.clock();
    // A write that seems to be in the future was made before the clock was set back.
    if (Math.abs(at - (writtenAt.get(id) ?? Number.NEGATIVE_INFINITY)) < pauseMs) return;
    if (writtenAt.size >= maxKeys) writtenAt.clear();
    writtenAt.set(id, at);
    pending.push({ tenant, id, at });
    if (pending.length === 1) void flush();
  };
}
export type RecordUse = ReturnType<typeof createRecordUse>;
