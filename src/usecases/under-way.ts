/** Pieces of work that were begun and have not ended, by their names. */
export interface UnderWay {
  /** Begins a piece of work. When it fails, `onFault` hears of it before anything else happens. */
  begin(name: string, work: () => Promise<void>): void;
  /** As they are now; later changes do not show. */
  names(): ReadonlySet<string>;
  size(): number;
  /** Resolves when one ends, or after the time; at once when there is none. Never rejects. */
  oneEnds(limitMs?: number): Promise<void>;
}

export function createUnderWay(onFault: (error: unknown) => void): UnderWay {
  const names = new Set<string>();
  // One waiter is told by whichever ends: to race all of them again and again would leave a listener on each one that hangs.
  let wake = () => {};

  return {
    begin(name, work) {
      names.add(name);
      work()
        .catch(onFault)
        .finally(() => {
          names.delete(name);
          wake();
        });
    },
    names: () => new Set(names),
    size: () => names.size,
    async oneEnds(limitMs) {
      if (names.size === 0) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (limitMs !== undefined) timer = setTimeout(resolve, limitMs);
      });
      clearTimeout(timer);
    },
  };
}
