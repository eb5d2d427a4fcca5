/** Work of one group. It yields at the end of each of its turns. */
export type Turns = AsyncGenerator<void, void>;

/**
 * Runs the works in turns, one at a time, so that a long one does not delay all others until its end. A fault ends its own
 * work only.
 *
 * @returns the first fault, if any.
 */
export async function takeTurns(works: readonly Turns[]): Promise<unknown> {
  let fault: unknown;
  for (let left = works; left.length > 0; ) {
    const unfinished: Turns[] = [];
    for (const work of left) {
      try {
        if (!(await work.next()).done) unfinished.push(work);
      } catch (error) {
        fault ??= error;
      }
    }
    left = unfinished;
  }
  return fault;
}
