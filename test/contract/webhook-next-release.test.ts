import { beforeAll, describe, expect, it } from 'vitest';
import type { OnUnreadable } from '../../src/domain/ports.ts';
import { afterAttempt } from '../../src/domain/webhook-delivery.ts';
import { disable, updateEndpoint } from '../../src/domain/webhook-endpoint.ts';
import { viewDelivery, viewEndpoint } from '../../src/domain/webhook-view.ts';
import { createDeliveries } from '../../src/outbound/records/webhooks/deliveries.ts';
import { createDeliveryQueues } from '../../src/outbound/records/webhooks/delivery-queues.ts';
import { createWebhookEndpoints } from '../../src/outbound/records/webhooks/webhook-endpoints.ts';
import { createdAt } from '../support/jobs.ts';
import {
  attemptOf,
  connectWebhookStore,
  deliveryOf,
  endpointOf,
  post,
  type WebhookStore,
} from '../support/webhooks.ts';

/** Data that the next release wrote, read and updated by this one. */

let shared: WebhookStore;
beforeAll(async () => {
  shared = await connectWebhookStore();
});

/** Stores that collect what they cannot read. */
function storesOf({ redis, keys }: WebhookStore) {
  const unreadable: string[] = [];
  const onUnreadable: OnUnreadable = ({ kind, id }) => void unreadable.push(`${kind} ${id}`);
  return {
    unreadable,
    deliveries: createDeliveries(redis, keys, { onUnreadable }),
    deliveryQueues: createDeliveryQueues(redis, keys, { onUnreadable }),
    endpoints: createWebhookEndpoints(redis, keys, { onUnreadable }),
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
  it('a delivery keeps unknown fields and its schema version through an attempt', async () => {
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

  it('a delivery of an unknown type and status is listed and shown as other', async () => {
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

  it('a list of deliveries skips and reports a delivery that it cannot read', async () => {
    const { deliveries, unreadable } = storesOf(shared);
    const tenant = freshTenant();
    const [foreign, own] = [deliveryOf({ tenant }), deliveryOf({ tenant })];
    await post(shared, foreign, own);
    await shared.redis.set(shared.keys.delivery(tenant, foreign.id), '{"version":1,"id":17}');
    const page = await deliveries.list(tenant, { limit: 9 });
    expect(page.deliveries.map(({ id }) => id)).toEqual([own.id]);
    expect(unreadable).toEqual([`delivery ${foreign.id}`]);
  });

  it('a log of attempts skips and reports an attempt that it cannot read', async () => {
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
  ])('a delivery %s is postponed and does not block the delivery queue', async (_name, damage) => {
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

  it('erasing a job removes its unreadable deliveries', async () => {
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
  it('an endpoint keeps unknown fields, subscriptions and history through an update', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant });
    await endpoints.create(endpoint, 9);
    const key = shared.keys.endpoint(tenant, endpoint.id);
    const secret = { encrypted: 'sealed', algorithm: 'ed25519' };
    const paused = { at: createdAt, what: 'paused', by: 'operator' };
    await widen(key, {
      ...nextRelease,
      ...{ events: ['image.queued', 'batch.completed'], secrets: [secret], history: [paused] },
    });
    await endpoints.update(tenant, endpoint.id, (now) =>
      updateEndpoint(now, { description: 'new' }, createdAt + 1),
    );
    expect(await rowAt(key)).toMatchObject({
      ...nextRelease,
      ...{ events: ['image.queued', 'batch.completed'], secrets: [secret], description: 'new' },
      history: [paused, { what: 'changed' }],
    });
  });

  it('an endpoint with unknown values is shown with other', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant });
    await endpoints.create(endpoint, 9);
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

  it('an endpoint that drops an unknown event type is no longer subscribed to it', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant });
    await endpoints.create(endpoint, 9);
    const subscribers = shared.keys.subscribers(tenant, 'image.upscaled');
    await shared.redis.sadd(subscribers, endpoint.id);
    await widen(shared.keys.endpoint(tenant, endpoint.id), { events: ['image.upscaled'] });
    expect(await endpoints.subscribed(tenant, 'image.upscaled')).toHaveLength(1);
    await endpoints.update(tenant, endpoint.id, (now) =>
      updateEndpoint(now, { events: ['image.failed'] }, createdAt),
    );
    expect(await shared.redis.smembers(subscribers)).toEqual([]);
  });

  it('a stale subscription of another release delivers nothing', async () => {
    const { endpoints } = storesOf(shared);
    const tenant = freshTenant();
    const endpoint = endpointOf({ tenant, events: ['image.failed'] });
    await endpoints.create(endpoint, 9);
    await shared.redis.sadd(shared.keys.subscribers(tenant, 'image.queued'), endpoint.id);
    expect(await endpoints.subscribed(tenant, 'image.queued')).toEqual([]);
  });

  it('a list of endpoints skips and reports an endpoint that it cannot read', async () => {
    const { endpoints, unreadable } = storesOf(shared);
    const tenant = freshTenant();
    const [foreign, own] = [endpointOf({ tenant }), endpointOf({ tenant })];
    for (const endpoint of [foreign, own]) await endpoints.create(endpoint, 9);
    await shared.redis.set(shared.keys.endpoint(tenant, foreign.id), '{"version":1,"url":7}');
    const page = await endpoints.list(tenant, { limit: 9 });
    expect(page.endpoints.map(({ id }) => id)).toEqual([own.id]);
    expect(await endpoints.subscribed(tenant, 'image.queued')).toMatchObject([{ id: own.id }]);
    expect(unreadable).toEqual([`webhook_endpoint ${foreign.id}`, `webhook_endpoint ${foreign.id}`]);
    expect(await endpoints.remove(tenant, foreign.id)).toBe(true);
  });

  it('an endpoint that the next release disabled can be disabled by its owner', () => {
    const paused = { ...endpointOf(), disabled: { reason: 'over_quota', at: createdAt } };
    expect(disable(paused, 'requested', { nowMs: createdAt + 1 }).disabled).toEqual({
      reason: 'requested',
      at: createdAt + 1,
    });
  });
});
