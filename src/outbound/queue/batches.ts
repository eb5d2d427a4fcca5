import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Sends items together: those that come in one turn of the event loop, and all that come while a batch is under way. So
 * one at a time is sent at once, and the busier it gets the more share a round trip.
 *
 * @param send sends one batch; when it rejects, every item of it is rejected.
 */
export function createBatches<Item>(
  send: (items: readonly Item[]) => Promise<unknown>,
): (item: Item) => Promise<unknown> {
  let gathering: { items: Item[]; sent: Promise<unknown> } | undefined;
  let underWay: Promise<unknown> = Promise.resolve();

  async function sendAfter(before: Promise<unknown>, items: readonly Item[]): Promise<unknown> {
    await before;
    await nextTurn();
    gathering = undefined;
    return send(items);
  }

  return (item) => {
    if (!gathering) {
      const items: Item[] = [];
      const sent = sendAfter(underWay, items);
      underWay = sent.catch(() => {});
      gathering = { items, sent };
    }
    gathering.items.push(item);
    return gathering.sent;
  };
}
