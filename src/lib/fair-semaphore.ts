/** Function that runs work of a group in a slot, see `createFairSemaphore`. */
export type InTurn = <T>(group: string, work: () => Promise<T>) => Promise<T>;

/**
 * Creates a semaphore with `count` slots. The groups that wait for a slot get free slots in turns, so that a group with many
 * callers delays a caller of another group by one piece of work for each slot. Callers of one group get slots in the order
 * of their arrival.
 */
export function createFairSemaphore(count: number): InTurn {
  let free = count;
  const waiting = new Map<string, (() => void)[]>();

  async function take(group: string): Promise<void> {
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve) => {
      waiting.set(group, [...(waiting.get(group) ?? []), resolve]);
    });
  }

  /** Passes the slot directly to the next waiting caller, so that no other caller can acquire it first. */
  function give(): void {
    const [next] = waiting;
    if (!next) {
      free += 1;
      return;
    }
    const [group, [first, ...others]] = next;
    // A group that waits further follows all other groups.
    waiting.delete(group);
    if (others.length > 0) waiting.set(group, others);
    first?.();
  }

  return async (group, work) => {
    await take(group);
    try {
      return await work();
    } finally {
      give();
    }
  };
}
