interface Batch<Item, Result> {
  readonly items: Item[];
  readonly results: Promise<readonly Result[]>;
}

/**
 * Sends items together: those that are given at the same moment, and all that come while a batch is under way. So one at
 * a time is sent at once, and the busier it gets the more share a round trip.
 *
 * @param send sends one batch; resolves with a result for each item, in their order. When it rejects, every item of the
 * batch is rejected.
 * @returns sends one item and resolves with its result.
 */
export function createBatches<Item, Result>(
  send: (items: readonly Item[]) => Promise<readonly Result[]>,
): (item: Item) => Promise<Result> {
  let gathering: Batch<Item, Result> | undefined;
  let underWay: Promise<unknown> = Promise.resolve();

  function gather(): Batch<Item, Result> {
    const items: Item[] = [];
    const results = sendAfter(underWay, items);
    underWay = results.catch(() => {});
    return { items, results };
  }

  async function sendAfter(before: Promise<unknown>, items: readonly Item[]): Promise<readonly Result[]> {
    await before;
    gathering = undefined;
    return send(items);
  }

  return async (item) => {
    gathering ??= gather();
    const { items, results } = gathering;
    const place = items.push(item) - 1;
    return (await results)[place] as Result;
  };
}
