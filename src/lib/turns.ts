/** Waits for a turn: resolves in the order of the calls, in one of the next iterations of the event loop. */
export type Turn = () => Promise<void>;

/**
 * Creates turns for work that would otherwise never return to the event loop, such as copying from one fast stream to
 * another. libuv reads a socket up to 32 times before it looks at the next one if the reader keeps up, so 64 fast copies
 * could delay everything else by seconds.
 *
 * @param perIteration number of turns in one iteration of the event loop. Its length is that of as many pieces of work.
 */
export function createTurns(perIteration: number): Turn {
  const waiting: (() => void)[] = [];
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      for (const begin of waiting.splice(0, perIteration)) begin();
      schedule();
    });
  }

  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      schedule();
    });
}
