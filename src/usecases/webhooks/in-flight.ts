import type { Clock } from '../../domain/ports.ts';

/** Pieces of work that were begun and have not ended, by their names. */
export interface InFlight {
  /** Begins a piece of work. When it fails, `onFault` hears of it before anything else happens. */
  begin(name: string, work: () => Promise<void>): void;
  /** As they are now; later changes do not show. */
  names(): ReadonlySet<string>;
  size(): number;
  /** When the one that takes longest was begun; `undefined` when there is none. */
  oldestMs(): number | undefined;
  /** Resolves when one ends, or after the time. Never rejects. */
  oneEnds(limitMs?: number): Promise<void>;
}

export function createInFlight(clock: Clock, onFault: (error: unknown) => void): InFlight {
  /** When each was begun, the first one first. */
  const begun = new Map<string, number>();
  // One waiter is told by whichever ends: to race all of them again and again would leave a listener on each one that hangs.
  let dispatchTask = () => {};

  return {
    begin(name, work) {
      begun.set(name, clock());
      work()
        .catch(onFault)
        .finally(() => {
          begun.delete(name);
          dispatchTask();
        });
    },
    names: () => new Set(begun.keys()),
    size: () => begun.size,
    oldestMs: () => begun.values().next().value,
    async oneEnds(limitMs) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        dispatchTask = resolve;
        if (limitMs !== undefined) timer = setTimeout(resolve, limitMs);
      });
      clearTimeout(timer);
    },
  };
}
