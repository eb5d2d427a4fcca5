import type { ImageRecords } from '../../domain/ports.ts';
import { eventOf } from '../../domain/webhook-event.ts';
import { dueScoreOf, indexesOf, type Keys, subscribersOf } from './keys.ts';
import { encodeRecord } from './record-codec.ts';

export type Order = Parameters<ImageRecords['submit']>[0];

/** Stands for what an order does not have. */
const none = '-';

/** The keys and arguments with which `submitScript` takes orders of one tenant. */
export function callFor(
  keys: Keys,
  tenant: string,
  orders: readonly Order[],
): { names: string[]; values: (string | number)[] } {
  const names = [
    keys.open(tenant),
    keys.due(tenant),
    keys.outbox(tenant),
    ...subscribersOf(keys, tenant, eventOf('queued')),
  ];
  // Most jobs join the same indexes, which are named once.
  const places = new Map<string, number>();
  function placeOf(index: string): number {
    const place = places.get(index) ?? names.push(index);
    places.set(index, place);
    return place;
  }
  const joined = orders.map(({ job }) => indexesOf(keys, job).map(placeOf).join(','));
  const values: (string | number)[] = [places.size];
  for (const [i, order] of orders.entries()) {
    const { job, claim, event } = order;
    values.push(wordsOf(order, joined[i] || none), encodeRecord(job));
    names.push(keys.job(tenant, job.id), keys.event(tenant, event?.id ?? none));
    if (claim) names.push(keys.idempotency(tenant, claim.keyHash));
  }
  return { names, values };
}

/** An order as the script reads it. */
function wordsOf({ job, claim, event, maxOpenJobs }: Order, places: string): string {
  const itself = `${job.id} ${job.updatedAt} ${dueScoreOf(job)} ${maxOpenJobs} ${places}`;
  const told = `${event?.id ?? none} ${event?.wanted ? 1 : none}`;
  const claimed = `${claim?.fingerprint ?? none} ${claim?.ttlMs ?? none}`;
  return `${itself} ${told} ${claimed}`;
}
