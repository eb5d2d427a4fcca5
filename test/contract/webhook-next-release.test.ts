import { beforeAll, describe, expect, it } from 'vitest';
import type { OnUnreadable } from '../../src/domain/ports.ts';
import { afterAttempt } from '../../src/domain/webhook-delivery.ts';
import { disable, updateEndpoint } from '../../src/domain/webhook-endpoint.ts';
import { viewDelivery, viewEndpoint } from '../../src/domain/webhook-view.ts';
import { createDeliveries } from '../../src/outbound/records/webhooks/deliveries.ts';
import { createDeliveryQueues } from '../../src/outbound/records/webhooks/delivery-queues.ts';
import { createWebhookEndpoints } from '../../src/outbound/records/webhooks/webhook-endpoints.ts';
import { auditBounds } from '../support/api-keys.ts';
import { createdAt } from '../support/jobs.ts';
import {
  attemptOf,
  connectWebhookStore,
  deliveryOf,
  endpointOf,
  post,
  type WebhookStore,
} from '../support/webhooks.ts';

/** A store with data that the next release wrote and this release reads and updates. */

let shared: WebhookStore;
beforeAll(async () => {
  shared = await connectWebhookStore();
});

/** Creates stores that collect unreadable entries. */
function storesOf({ redis, keys }: WebhookStore) {
  const unreadable: string[] = [];
  const onUnreadable: OnUnreadable = ({ kind, id }) => void unreadable.push(`${kind} ${id}`);
  return {
    unreadable,
    deliveries: createDeliveries(redis, keys, { onUnreadable }),
    deliveryQueues: createDeliveryQueues(redis, keys, { onUnreadable }),
    endpoints: createWebhookEndpoints(redis, keys, { audit: auditBounds, onUnreadable }),
  };
}

let tenants = 0;
const freshTenant = () => `next-${++tenants}`;

/** Adds fields to a stored row, as a release with a wider schema does. */
async function widen(key: string, fields: object): Promise<void> {
  await shared.redis.set(key, JSON.stringify({ ...(await rowAt(key)), ...fields }));
}

async function rowAt(key: string): Promise<Record<string, unknown>> {
  return JSON.parse((await shared.redis.get(key)) ?? '');
}

const nextRelease = { schema: 2, shard: 'eu-1', trace: { id: 'abc' } };
const options = { nowMs: createdAt, random: 0, schedule: [0, 5] };

describe('a delivery of the next release', () => {
  it('preserves unknown fields and the schema version of a delivery through an attempt', async () => {
    const { deliveries } = storesOf(shared);
    const tenant = freshTenant();
    const delivery = deliveryOf({ tenant });
    await post(shared, delivery);
    const key = shared.keys.delivery(tenant, delivery.id);
    await widen(key, nextRelease);
    const known = await deliveries.get(tenant, delivery.id);
    if (!known) throw new Error('the delivery is missing');
    const result = { url: 'https://endpoint.example', outcome: 'http_500' };
    await deliveries.update(known, (now) => afterAttempt(now, result, options), attemptOf());
    expect(await rowAt(key)).toMatchObject({ ...nextRelease, attempts: 1 });
  });

  it('lists and shows a delivery of an unknown type and status as other', async () => {
    const { deliveries, unreadable } = storesOf(shared);
    const tenant = freshTenant();
    const delivery = deliveryOf({ tenant });
    await post(shared, delivery);
    await widen(shared.keys.delivery(tenant, delivery.id), { type: 'batch.completed', status: 'paused' });
    const page = await deliveries.list(tenant, { limit: 9 });
    expect(page.deliveries.map((each) => viewDelivery(each, []))).toMatchObject([
      { id: delivery.id, type: 'other', status: 'other' },
    ]);
    expect(unreadable).toEqual([]);
  });

  it('skips and reports an unreadable delivery in the list of deliveries', async () => {
    const { deliveries, unreadable } = storesOf(shared);
    const tenant = freshTenant();
    const [foreign, own] = [deliveryOf({ tenant }), deliveryOf({ tenant })];
    await post(shared, foreign, own);
    await shared.redis.set(shared.keys.delivery(tenant, foreign.id), '{"version":1,"id":17}');
    const page = await deliveries.list(tenant, { limit: 9 });
    expect(page.deliveries.map(({ id }) => id)).toEqual([own.id]);
    expect(unreadable).toEqual([`delivery ${foreign.id}`]);
  });

  it('skips and reports an unreadable attempt in the log of attempts', async () => {
    const { deliveries, unreadable } = storesOf(shared);
    const tenant = freshTenant();
    const delivery = deliveryOf({ tenant });
    await post(shared, delivery);
    await deliveries.update(delivery, (now) => ({ ...now, attempts: 1 }), attemptOf());
    await shared.redis.rpush(shared.keys.deliveryLog(tenant, delivery.id), '{"no":"two"}');
    const [attempts] = await deliveries.attempts(tenant, [delivery.id]);
    expect(attempts).toEqual([attemptOf()]);
    expect(unreadable).toEqual([`delivery_attempt ${delivery.id}`]);
  });

  it.each([
    [
      'that cannot be read',
      async (key: string) => void (await shared.redis.set(key, '{"version":1,"id":17}')),
    ],
    ['of an unknown status', (key: string) => widen(key, { status: 'paused' })],
  ])('postpones a delivery %s without blocking the delivery queue', async (_name, damage) => {
    const { deliveryQueues } = storesOf(shared);
    const tenant = freshTenant();
    const foreign = deliveryOf({ tenant, destinationKey: 'whk_1', dueAt: createdAt });
    const own = deliveryOf({ tenant, destinationKey: 'whk_1', dueAt: createdAt + 1 });
    await post(shared, foreign, own);
    const key = shared.keys.delivery(tenant, foreign.id);
    await damage(key);
    const stored = await shared.redis.get(key);
    const due = (nowMs: number, limit: number) =>
      deliveryQueues
        .due(tenant, 'whk_1', { nowMs, limit })
        .then((all) => all.map((each) => each.delivery.id));
    expect(await due(createdAt + 1, 1)).toEqual([]);
    expect(await due(createdAt + 1, 1)).toEqual([own.id]);
    expect(await shared.redis.get(key)).toBe(stored);
    expect(await shared.redis.zscore(shared.keys.deliveryQueue(tenant, 'whk_1'), foreign.id)).not.toBeNull();
  });

  it('removes the unreadable deliveries of a job when the job is erased', async () => {
    const { deliveries } = storesOf(shared);
    const tenant = freshTenant();
    const delivery = deliveryOf({ tenant, jobId: 'img_9' });
    await post(shared, delivery);
    await shared.redis.set(shared.keys.delivery(tenant, delivery.id), 'nonsense');
    await deliveries.removeOf(tenant, 'img_9');
    expect(await shared.redis.get(shared.keys.delivery(tenant, delivery.id))).toBeNull();
    expect(await shared.redis.zcard(shared.keys.deliveries(tenant))).toBe(0);
    expect(await deliveries.list(tenant, { limit: 9, status: 'pending' })).toMatchObject({ deliveries: [] });
  });
});

describe('an endpoint of the next release', () => {
  it('preserves unknown fields, subscriptions and history of an endpoint through an update', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant });
    await endpoints.create(endpoint, { max: 9 });
    const key = shared.keys.endpoint(tenant, endpoint.id);
    const secret = { encrypted: 'sealed', algorithm: 'ed25519' };
    const paused = { at: createdAt, what: 'paused', by: 'operator' };
    await widen(key, {
      ...nextRelease,
      ...{ events: ['image.queued', 'batch.completed'], secrets: [secret], history: [paused] },
    });
    await endpoints.update({ tenant, id: endpoint.id }, (now) =>
      updateEndpoint(now, { description: 'new' }, createdAt + 1),
    );
    expect(await rowAt(key)).toMatchObject({
      ...nextRelease,
      ...{ events: ['image.queued', 'batch.completed'], secrets: [secret], description: 'new' },
      history: [paused, { what: 'changed' }],
    });
  });

  it('shows an endpoint with unknown values as other', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant });
    await endpoints.create(endpoint, { max: 9 });
    await widen(shared.keys.endpoint(tenant, endpoint.id), {
      events: ['batch.completed'],
      disabled: { reason: 'over_quota', at: createdAt },
      history: [{ at: createdAt, what: 'paused' }],
    });
    const found = await endpoints.get(tenant, endpoint.id);
    if (!found) throw new Error('the endpoint is missing');
    expect(viewEndpoint(found, { failures: 0 }, createdAt)).toMatchObject({
      events: ['other'],
      status: 'disabled',
      disabled_reason: 'other',
      history: [{ what: 'other' }],
    });
  });

  it('ends the subscription to an unknown event type when the endpoint drops it', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant });
    await endpoints.create(endpoint, { max: 9 });
    const subscribers = shared.keys.subscribers(tenant, 'image.upscaled');
    await shared.redis.sadd(subscribers, endpoint.id);
    await widen(shared.keys.endpoint(tenant, endpoint.id), { events: ['image.upscaled'] });
    expect(await endpoints.subscribed(tenant, 'image.upscaled')).toHaveLength(1);
    await endpoints.update({ tenant, id: endpoint.id }, (now) =>
      updateEndpoint(now, { events: ['image.failed'] }, createdAt),
    );
    expect(await shared.redis.smembers(subscribers)).toEqual([]);
  });

  it('delivers nothing for a stale subscription of another release', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant, events: ['image.failed'] });
    await endpoints.create(endpoint, { max: 9 });
    await shared.redis.sadd(shared.keys.subscribers(tenant, 'image.queued'), endpoint.id);
    expect(await endpoints.subscribed(tenant, 'image.queued')).toEqual([]);
  });

  it('skips and reports an unreadable endpoint in the list of endpoints', async () => {
    const { endpoints, unreadable } = storesOf(shared);
    const tenant = freshTenant();
    const [foreign, own] = [endpointOf({ tenant }), endpointOf({ tenant })];
    for (const endpoint of [foreign, own]) await endpoints.create(endpoint, { max: 9 });
    await shared.redis.set(shared.keys.endpoint(tenant, foreign.id), '{"version":1,"url":7}');
    const page = await endpoints.list(tenant, { limit: 9 });
    expect(page.endpoints.map(({ id }) => id)).toEqual([own.id]);
    expect(await endpoints.subscribed(tenant, 'image.queued')).toMatchObject([{ id: own.id }]);
    expect(unreadable).toEqual([`webhook_endpoint ${foreign.id}`, `webhook_endpoint ${foreign.id}`]);
    expect(await endpoints.remove(tenant, foreign.id)).toBe(true);
  });

  it('lets the owner disable an endpoint that the next release disabled', () => {
    const paused = { ...endpointOf(), disabled: { reason: 'over_quota', at: createdAt } };
    expect(disable(paused, 'requested', { nowMs: createdAt + 1 }).disabled).toEqual({
      reason: 'requested',
      at: createdAt + 1,
    });
  });
});
