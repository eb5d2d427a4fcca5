import type { DeliveryQuery } from '../../src/domain/ports.ts';
import { afterAttempt, type Delivery } from '../../src/domain/webhook-delivery.ts';
import { freshTenant } from './store.ts';
import { deliveryOf, post, type WebhookStore } from './webhooks.ts';

/** Creates a pending delivery in its delivery queue. */
export async function posted(store: WebhookStore, fields: Partial<Delivery> = {}): Promise<Delivery> {
  const delivery = deliveryOf({ tenant: freshTenant(), ...fields });
  await post(store, delivery);
  return delivery;
}

const ended = (outcome: string) => (nowMs: number) => (now: Delivery) =>
  afterAttempt(now, { url: now.url, outcome }, { nowMs, random: 0, schedule: [0, 5, 300] });

/** Returns the change of a delivery whose attempt fails at the given time. */
export const failsAt = ended('http_500');
/** Returns the change of a delivery that arrives at the given time. */
export const arrivesAt = ended('delivered');

/** Returns the ids of the due deliveries in the queue of a delivery. */
export async function idsDue(store: WebhookStore, { tenant, destinationKey }: Delivery, nowMs: number) {
  const due = await store.deliveryQueues.due(tenant, destinationKey, { nowMs, limit: 99 });
  return due.map(({ delivery }) => delivery.id);
}

/** Returns the ids of the logged deliveries of a tenant. */
export async function idsOf(store: WebhookStore, tenant: string, query: Omit<DeliveryQuery, 'limit'>) {
  const { deliveries } = await store.deliveries.list(tenant, { limit: 99, ...query });
  return deliveries.map(({ id }) => id);
}
