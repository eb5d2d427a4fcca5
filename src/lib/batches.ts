interface Batch<Item, Result> {
  readonly items: Item[];
  readonly results: Promise<readonly Result[]>;
}

/** What waits for the same moment. */
interface Gathering<Item, Result> {
  readonly start: Promise<void>;
  readonly batches: Batch<Item, Result>[];
}

/**
 * Sends items together: those that are given at the same moment, and all that come until something of what was sent before
 * is answered. So one at a time is sent at once, and the busier it gets the more share a round trip.
 *
 * @param send sends one batch; resolves with a result for each item, in their order. When it rejects, every item of the
 * batch is rejected.
 * @param options.most items of one batch. What is more is sent as further batches at the same moment: while the answers to
 * the first are worked off, the others are under way.
 * @returns sends one item and resolves with its result.
 */
export function createBatches<Item, Result>(
  send: (items: readonly Item[]) => Promise<readonly Result[]>,
  { max = Number.POSITIVE_INFINITY }: { max?: number } = {},
): (item: Item) => Promise<Result> {
  let gathering: Gathering<Item, Result> | undefined;
  let answered: Promise<unknown> = Promise.resolve();

  function gather(): Gathering<Item, Result> {
    const batches: Batch<Item, Result>[] = [];
    const start = answered.then(() => {
      gathering = undefined;
    });
    answered = start.then(() => Promise.race(batches.map(({ results }) => results))).catch(() => {});
    return { start, batches };
  }

  function open(start: Promise<void>): Batch<Item, Result> {
    const items: Item[] = [];
    return { items, results: start.then(() => send(items)) };
  }

  return async (item) => {
    gathering ??= gather();
    const { start, batches } = gathering;
    let batch = batches.at(-1);
    if (batch === undefined || batch.items.length >= max) {
      batch = open(start);
      batches.push(batch);
    }
    const place = batch.items.push(item) - 1;
    return (await batch.results)[place] as Result;
  };
}
