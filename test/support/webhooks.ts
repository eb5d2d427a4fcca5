import { healthy } from '../../src/domain/destination-health.ts';
import { createDelivery, type Delivery, type DeliveryAttempt } from '../../src/domain/webhook-delivery.ts';
import { createEndpoint, type WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts';
import { ids } from '../../src/lib/ids.ts';
import { createJobStore } from '../../src/outbound/records/job-store.ts';
import { createDeliveries } from '../../src/outbound/records/webhooks/deliveries.ts';
import { createDeliveryQueues } from '../../src/outbound/records/webhooks/delivery-queues.ts';
import { createWebhookEndpoints } from '../../src/outbound/records/webhooks/webhook-endpoints.ts';
import { createWebhookEvents } from '../../src/outbound/records/webhooks/webhook-events.ts';
import { auditBounds } from './api-keys.ts';
import { createdAt } from './jobs.ts';
import { connectTestStore } from './store.ts';

/** Connects a test file to the webhook stores in the shared Redis. */
export async function connectWebhookStore() {
  const store = await connectTestStore();
  const { redis, keys } = store;
  return {
    ...store,
    records: createJobStore(redis, keys),
    events: createWebhookEvents(redis, keys),
    deliveries: createDeliveries(redis, keys),
    deliveryQueues: createDeliveryQueues(redis, keys),
    endpoints: createWebhookEndpoints(redis, keys, { audit: auditBounds }),
    /** Returns the keys of a tenant that never expire. */
    async keysKeptOf(tenant: string): Promise<string[]> {
      const names = (await store.keysLeft()).filter((key) => key.includes(`{${tenant}}`));
      const lives = await Promise.all(names.map((name) => redis.pttl(name)));
      return names.filter((_, i) => lives[i] === -1).map((name) => name.replace(/^.*\}:/, ''));
    },
  };
}
export type WebhookStore = Awaited<ReturnType<typeof connectWebhookStore>>;

/** Creates an endpoint with a new id and the given fields. */
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

/** Creates a delivery of a new event with the given fields. It is due at `createdAt`. */
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

/** Returns one attempt of a delivery, with status 500 by default. */
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
 * Dispatches one event for each delivery, with `{}` as its payload.
 *
 * @returns the dispatch tasks.
 */
export async function post(
  { redis, keys, events }: Pick<WebhookStore, 'redis' | 'keys' | 'events'>,
  ...deliveries: readonly Delivery[]
) {
  const dispatchTasks = await Promise.all(
    deliveries.map(async (delivery) => {
      const { tenant, eventId: id, dueAt: nowMs = createdAt } = delivery;
      await redis.set(keys.event(tenant, id), '{}');
      await redis.zadd(keys.outbox(tenant), nowMs, id);
      return events.dispatch({ tenant, id }, { deliveries: [delivery], nowMs, contentTtlMs: 3_600_000 });
    }),
  );
  return dispatchTasks.flat();
}

/** Returns the operations of runs on one delivery queue. */
export function deliveryQueueIn(store: WebhookStore, tenant: string, destinationKey = 'whk_1') {
  const { deliveryQueues } = store;
  const leaseMs = 20_000;
  const take = (run: string, nowMs = createdAt) =>
    deliveryQueues.acquireLease(tenant, destinationKey, { run, nowMs, leaseMs });
  const release = (run: string, nowMs = createdAt) =>
    deliveryQueues.releaseLease(tenant, destinationKey, { run, nowMs });
  return {
    tenant,
    destinationKey,
    take,
    release,
    keep: (run: string, nowMs = createdAt, health = healthy) =>
      deliveryQueues.renewLease(tenant, destinationKey, { run, nowMs, leaseMs, health }),
    due: async (nowMs = createdAt, limit = 99) =>
      (await deliveryQueues.due(tenant, destinationKey, { nowMs, limit })).map(({ delivery }) => delivery.id),
    /** Adds a delivery. Returns it with the id of its dispatch task. */
    async put(dueAt = createdAt, fields: Partial<Delivery> = {}) {
      const delivery = deliveryOf({ tenant, destinationKey, dueAt, ...fields });
      const [dispatchTask] = await post(store, delivery);
      return { delivery, taskId: dispatchTask?.taskId };
    },
    /** Performs one run without a delivery. */
    async visit(run: string, nowMs: number) {
      await take(run, nowMs);
      return release(run, nowMs);
    },
    health: async () => (await deliveryQueues.health(tenant, [destinationKey]))[0],
  };
}
