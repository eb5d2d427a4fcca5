import type { Clock } from '../../domain/ports.ts';

/**
 * Rights that ended runs of this process may still have, because the store was away when they took them or gave them
 * back. Nobody else may have such a right before its lease is over; who goes on under the name of that run need not wait.
 */
export interface UnreleasedLeases {
  /** Remembers the run of a right that nobody uses any more. */
  leave(right: string, run: string): void;
  /** The run that left the right, where there is one; the next caller gets it no more. */
  takeOver(right: string): string | undefined;
}

/** @param leaseMs after this a right has ended anyway and is forgotten. */
export function createUnreleasedLeases(clock: Clock, leaseMs: number): UnreleasedLeases {
  /** In the order in which they were left. */
  const left = new Map<string, { run: string; untilMs: number }>();

  function purgeEnded(): void {
    for (const [right, { untilMs }] of left) {
      if (untilMs > clock()) return;
      left.delete(right);
    }
  }

  return {
    leave(right, run) {
      purgeEnded();
      left.delete(right);
      left.set(right, { run, untilMs: clock() + leaseMs });
    },
    takeOver(right) {
      purgeEnded();
      const run = left.get(right)?.run;
      left.delete(right);
      return run;
    },
  };
}
