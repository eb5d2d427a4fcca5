import { healthy } from '../../src/domain/destination-health.ts';
import { createDelivery, type Delivery, type DeliveryAttempt } from '../../src/domain/webhook-delivery.ts';
import { createEndpoint, type WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts';
import { ids } from '../../src/lib/ids.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createDeliveries } from '../../src/outbound/records/webhooks/deliveries.ts';
import { createDeliveryQueues } from '../../src/outbound/records/webhooks/delivery-queues.ts';
import { createWebhookEndpoints } from '../../src/outbound/records/webhooks/webhook-endpoints.ts';
import { createWebhookEvents } from '../../src/outbound/records/webhooks/webhook-events.ts';
import { createdAt } from './jobs.ts';
import { connectTestStore } from './store.ts';

/** Everything that keeps webhooks, over the shared Redis, under key names of one test file's own. */
export async function connectWebhookStore() {
  const store = await connectTestStore();
  const { redis, keys } = store;
  return {
    ...store,
    records: createJobStore(redis, keys),
    events: createWebhookEvents(redis, keys),
    deliveries: createDeliveries(redis, keys),
    deliveryQueues: createDeliveryQueues(redis, keys),
    endpoints: createWebhookEndpoints(redis, keys),
    /** What of a tenant stays for good: keys that expire by themselves are left out. */
    async keysKeptOf(tenant: string): Promise<string[]> {
      const names = (await store.keysLeft()).filter((key) => key.includes(`{${tenant}}`));
      const lives = await Promise.all(names.map((name) => redis.pttl(name)));
      return names.filter((_, i) => lives[i] === -1).map((name) => name.replace(/^.*\}:/, ''));
    },
  };
}
export type WebhookStore = Awaited<ReturnType<typeof connectWebhookStore>>;

/** An endpoint as registering makes it, with an id of its own; fields as given. */
export function endpointOf(fields: Partial<WebhookEndpoint> = {}): WebhookEndpoint {
  const created = createEndpoint({
    id: ids.endpoint(fields.createdAt ?? createdAt),
    tenant: 'acme',
    body: { url: 'https://receiver.example/hook' },
    encryptedSecret: 'sealed',
    nowMs: createdAt,
  });
  return { ...created, ...fields };
}

/** A delivery that is due since the first moment, of an event of its own; fields as given. */
export function deliveryOf(fields: Partial<Delivery> = {}): Delivery {
  const at = fields.at ?? createdAt;
  const eventId = fields.eventId ?? ids.event(at);
  const destinationKey = fields.destinationKey ?? 'whk_1';
  const created = createDelivery({
    ...{
      id: ids.delivery(at, eventId, destinationKey),
      tenant: 'acme',
      eventId,
      type: 'image.queued',
      at,
      destinationKey,
    },
    url: 'https://receiver.example/hook',
    jobId: 'img_1',
    nowMs: createdAt,
  });
  return { ...created, ...fields };
}

/** One try of a delivery that brought a status of 500, unless told otherwise. */
export function attemptOf(fields: Partial<DeliveryAttempt> = {}): DeliveryAttempt {
  return {
    no: 1,
    at: createdAt,
    url: 'https://receiver.example/hook',
    outcome: 'http_500',
    status: 500,
    latencyMs: 12,
    headers: { 'webhook-id': 'evt_1' },
    ...fields,
  };
}

/**
 * Puts deliveries into their mailboxes as announcing does, one event for each, with `{}` for its bytes.
 *
 * @returns what to wake.
 */
export async function post(
  { redis, keys, events }: Pick<WebhookStore, 'redis' | 'keys' | 'events'>,
  ...deliveries: readonly Delivery[]
) {
  const dispatchTasks = await Promise.all(
    deliveries.map(async (delivery) => {
      const { tenant, eventId: id, dueAt: nowMs = createdAt } = delivery;
      await redis.zadd(keys.outbox(tenant), nowMs, id);
      return events.dispatch({ tenant, id }, '{}', [delivery], { nowMs, keepMs: 3_600_000 });
    }),
  );
  return dispatchTasks.flat();
}

/** The mailbox of a receiver, and those who come to empty it. */
export function deliveryQueueIn(store: WebhookStore, tenant: string, destinationKey = 'whk_1') {
  const { deliveryQueues } = store;
  const leaseMs = 20_000;
  const take = (run: string, nowMs = createdAt) =>
    deliveryQueues.take(tenant, destinationKey, { run, nowMs, leaseMs });
  const release = (run: string, nowMs = createdAt) =>
    deliveryQueues.release(tenant, destinationKey, { run, nowMs });
  return {
    tenant,
    destinationKey,
    take,
    release,
    keep: (run: string, nowMs = createdAt, health = healthy) =>
      deliveryQueues.keep(tenant, destinationKey, { run, nowMs, leaseMs, health }),
    due: async (nowMs = createdAt, limit = 99) =>
      (await deliveryQueues.due(tenant, destinationKey, { nowMs, limit })).map(({ delivery }) => delivery.id),
    /** What to queue after a delivery was put in. */
    async put(dueAt = createdAt, fields: Partial<Delivery> = {}) {
      const delivery = deliveryOf({ tenant, destinationKey, dueAt, ...fields });
      const [dispatchTask] = await post(store, delivery);
      return { delivery, taskId: dispatchTask?.taskId };
    },
    /** One whole visit by somebody who delivers nothing. */
    async visit(run: string, nowMs: number) {
      await take(run, nowMs);
      return release(run, nowMs);
    },
    health: async () => (await deliveryQueues.health(tenant, [destinationKey]))[0],
  };
}
