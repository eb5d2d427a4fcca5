interface Batch<Item, Result> {
  readonly items: Item[];
  readonly results: Promise<readonly Result[]>;
}

/** Batches that wait for the same start. */
interface Gathering<Item, Result> {
  readonly start: Promise<void>;
  readonly batches: Batch<Item, Result>[];
}

/**
 * Creates a function that sends items in batches. A batch collects the items that arrive until an earlier batch has a
 * result. A single item is therefore sent at once, and under load more items share a round trip.
 *
 * @param send sends one batch and resolves with one result for each item, in sequence. If it rejects, every item of the
 *   batch rejects.
 * @param options.max maximum number of items in one batch. Further items form further batches, which are sent at the same
 *   time. While the results of the first batch are processed, the others are in flight. Default: no limit.
 * @returns a function that sends one item and resolves with its result.
 */
export function createBatches<Item, Result>(
  send: (items: readonly Item[]) => Promise<readonly Result[]>,
  { max = Number.POSITIVE_INFINITY }: { max?: number } = {},
): (item: Item) => Promise<Result> {
  let gathering: Gathering<Item, Result> | undefined;
  let responded: Promise<unknown> = Promise.resolve();

  function gather(): Gathering<Item, Result> {
    const batches: Batch<Item, Result>[] = [];
    const start = responded.then(() => {
      gathering = undefined;
    });
    responded = start.then(() => Promise.race(batches.map(({ results }) => results))).catch(() => {});
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
