import type { Cluster, Redis } from 'ioredis';
import type { Clock, OnUnreadable, ProcessStates } from '../../domain/ports.ts';
import { ProcessState } from '../../domain/process-state.ts';
import type { Keys } from './keys.ts';
import { translated } from './store-errors.ts';

/** Lifetime of the report of a killed process, in milliseconds. */
const keptMs = 60_000;

/** Creates the reports of processes: one hash, with a field as JSON for each process. Every list removes old reports. */
export function createProcessStates(
  redis: Redis | Cluster,
  keys: Pick<Keys, 'processes'>,
  { clock, onUnreadable }: { readonly clock: Clock; readonly onUnreadable?: OnUnreadable },
): ProcessStates {
  function parse(id: string, text: string): ProcessState | null {
    try {
      return ProcessState.parse(JSON.parse(text));
    } catch (error) {
      onUnreadable?.({ kind: 'process_state', id, error });
      return null;
    }
  }

  return {
    write: (state) =>
      translated(async () => void (await redis.hset(keys.processes, state.process, JSON.stringify(state)))),
    remove: (process) => translated(async () => void (await redis.hdel(keys.processes, process))),
    list: () =>
      translated(async () => {
        const all = Object.entries(await redis.hgetall(keys.processes));
        const states = all.flatMap(([id, text]) => parse(id, text) ?? []);
        const oldestMs = clock() - keptMs;
        const old = states.filter(({ at }) => at < oldestMs).map(({ process }) => process);
        if (old.length > 0) await redis.hdel(keys.processes, ...old);
        return states.filter(({ at }) => at >= oldestMs);
      }),
  };
}
