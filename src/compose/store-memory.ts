import { AppError } from '../domain/errors.ts';
import type { CheckRoom, StoreMemory } from '../domain/ports.ts';
import { every } from '../lib/every.ts';
import { fullnessOf, readMemories, readMemory } from '../outbound/records/read-memory.ts';
import type { Connections } from './redis.ts';
import type { Root } from './root.ts';

const pollMs = 1_000;

/** The memory of Redis, and the refusal of new work if it is nearly full. */
export interface StoreMemoryWatch {
  /** Returns the memory, or `null` if Redis does not report it. */
  read(): Promise<StoreMemory | null>;
  /** Throws `store_full` if new work must not be accepted. */
  readonly checkRoom: CheckRoom;
  /** Returns the result for readiness. */
  check(): { ok: boolean; detail: string | null };
}

/**
 * Reads the memory of Redis every second, on a cluster that of every primary. From REDIS_MAX_MEMORY_PERCENT of `maxmemory`
 * on, new work is refused, so that running work can end. A server that is unreachable, or so full that it refuses every
 * write, is an outage and no limit.
 */
export function composeStoreMemory(
  { config, log, closers }: Root,
  { records }: Connections,
): StoreMemoryWatch {
  /** Percentage of the fullest server that still accepts writes. */
  let percent = 0;
  const isNearlyFull = () => percent >= config.REDIS_MAX_MEMORY_PERCENT;

  async function update(): Promise<void> {
    const was = isNearlyFull();
    const percents = (await readMemories(records)).map((memory) => 100 * fullnessOf(memory));
    percent = Math.max(0, ...percents.filter((each) => each < 100));
    if (isNearlyFull() === was) return;
    const facts = { percent: Math.floor(percent), max_percent: config.REDIS_MAX_MEMORY_PERCENT };
    if (was) log.warn(facts, 'memory of Redis is no longer nearly full: new work is accepted');
    else log.error(facts, 'memory of Redis is nearly full: new work is refused');
  }

  const onError = () => {
    percent = 0;
  };
  closers.add(every(pollMs, update, { onError, firstAfterMs: 0 }), (stop) => stop());
  return {
    read: () => readMemory(records).catch(() => null),
    checkRoom() {
      if (!isNearlyFull()) return;
      throw new AppError('store_full', {
        detail: 'The job store is nearly full. Running jobs continue. Retry later.',
        retryAfterSeconds: 30,
      });
    },
    check() {
      if (!isNearlyFull()) return { ok: true, detail: null };
      const detail = `${Math.floor(percent)} % of maxmemory is used: new work is refused from ${config.REDIS_MAX_MEMORY_PERCENT} % on. Raise maxmemory, or lower RECORD_TTL_S and WEBHOOK_LOG_TTL_S`;
      return { ok: false, detail };
    },
  };
}
