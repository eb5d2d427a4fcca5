import { beforeAll, describe, expect, it } from 'vitest';
import { afterFailure, healthy, waitUntil } from '../../src/domain/destination-health.ts';
import { createdAt } from '../support/jobs.ts';
import { connectWebhookStore, deliveryQueueIn, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

let tenants = 0;
/** Returns the delivery queue of a destination. The default tenant is unused by other tests. */
const deliveryQueue = (tenant = `t${++tenants}`, destinationKey = 'whk_1') =>
  deliveryQueueIn(store, tenant, destinationKey);

describe('the lease of a delivery queue', () => {
  it('grants the lease to one of 20 concurrent runs, reports its expiry to the others and makes one of them follow up', async () => {
    const { take } = deliveryQueue();
    const taken = await Promise.all(Array.from({ length: 20 }, (_, i) => take(`run ${i}`)));
    expect(taken.filter((each) => 'health' in each)).toHaveLength(1);
    const others = taken.filter((each) => 'heldUntilMs' in each);
    expect(others.map(({ heldUntilMs }) => heldUntilMs)).toEqual(
      Array.from({ length: 19 }, () => createdAt + 20_000),
    );
    expect(others.filter(({ hasFollowUp }) => !hasFollowUp)).toHaveLength(1);
  });

  it('assigns the follow-up of a renewed lease to the run that returns first', async () => {
    const { take, keep, release } = deliveryQueue();
    await take('one');
    const watched = { heldUntilMs: createdAt + 35_000, hasFollowUp: true };
    expect(await take('watcher')).toMatchObject({ hasFollowUp: false });
    await keep('one', createdAt + 15_000);
    expect(await take('other', createdAt + 15_000)).toEqual(watched);
    expect(await take('watcher', createdAt + 20_000)).toEqual({ ...watched, hasFollowUp: false });
    expect(await take('other', createdAt + 20_001)).toEqual(watched);
    await release('one', createdAt + 21_000);
    await take('two', createdAt + 21_000);
    // The follow-up is still due, and that is before the new lease would expire.
    expect(await take('other', createdAt + 21_001)).toEqual({
      ...{ heldUntilMs: createdAt + 41_000, hasFollowUp: true },
    });
  });

  it('extends the lease when its run renews it', async () => {
    const { take, keep } = deliveryQueue();
    await take('one');
    expect(await keep('one', createdAt + 15_000)).toBe(true);
    expect(await take('other', createdAt + 34_999)).toMatchObject({ heldUntilMs: createdAt + 35_000 });
  });

  it('passes an expired lease to another run, and its former holder can neither renew nor release it', async () => {
    const { take, keep, release, put } = deliveryQueue();
    await put();
    await take('one');
    expect(await take('other', createdAt + 20_000)).toEqual({ health: healthy });
    expect(await keep('one', createdAt + 20_001)).toBe(false);
    expect(await release('one', createdAt + 20_001)).toBeNull();
    expect(await take('third', createdAt + 20_002)).toMatchObject({ heldUntilMs: createdAt + 40_000 });
    expect(await release('other', createdAt + 20_003)).toEqual({ againInMs: 0 });
  });

  it('grants a released lease at once', async () => {
    const { take, release } = deliveryQueue();
    await take('one');
    await release('one');
    expect(await take('other')).toEqual({ health: healthy });
  });

  it('grants a separate lease per destination and per tenant', async () => {
    const first = deliveryQueue();
    await first.take('one');
    expect(await deliveryQueue(first.tenant, 'whk_2').take('two')).toEqual({ health: healthy });
    expect(await deliveryQueue(undefined, 'whk_1').take('three')).toEqual({ health: healthy });
  });
});

describe('the health of a destination', () => {
  it('passes the health of a destination from one delivery run to the next', async () => {
    const { take, keep, release, health } = deliveryQueue();
    const failing = afterFailure(afterFailure(healthy, createdAt, undefined), createdAt + 5, 60_000);
    await take('one');
    await keep('one', createdAt, failing);
    await release('one');
    expect(await health()).toEqual(failing);
    expect(await take('other')).toEqual({ health: failing });
  });

  it('passes the reason of a delay from one delivery run to the next', async () => {
    const { take, keep, release } = deliveryQueue();
    const delayed = waitUntil(healthy, { untilMs: createdAt + 60_000, reason: 'host_limit' });
    await take('one');
    await keep('one', createdAt, delayed);
    await release('one');
    expect(await take('other')).toEqual({ health: delayed });
  });

  it('ignores a health update from a run that has lost the lease', async () => {
    const { take, keep, health } = deliveryQueue();
    await take('one');
    await take('other', createdAt + 20_000);
    await keep('one', createdAt + 20_001, afterFailure(healthy, createdAt, undefined));
    expect(await health()).toEqual(healthy);
  });

  it('returns a destination to healthy when its circuit breaker is reset', async () => {
    const { tenant, destinationKey, take, keep, release, put } = deliveryQueue();
    await put();
    await take('one');
    await keep('one', createdAt, afterFailure(healthy, createdAt, 3_600_000));
    expect(await release('one')).toEqual({ againInMs: 3_600_000 });
    await store.deliveryQueues.resetBreaker(tenant, destinationKey);
    expect(await take('other')).toEqual({ health: healthy });
    expect(await release('other')).toEqual({ againInMs: 0 });
  });

  it('ends an interrupted run at its next renewal, which extends its lease and stores no health', async () => {
    const { tenant, destinationKey, take, keep, release, health } = deliveryQueue();
    await store.deliveryQueues.interruptRun(tenant, destinationKey);
    await take('one');
    expect(await keep('one')).toBe(true);
    await store.deliveryQueues.resetBreaker(tenant, destinationKey);
    expect(await keep('one', createdAt + 5_000, afterFailure(healthy, createdAt, undefined))).toBe(false);
    expect(await take('other', createdAt + 24_999)).toMatchObject({ heldUntilMs: createdAt + 25_000 });
    expect(await health()).toEqual(healthy);
    await release('one');
    await take('one');
    expect(await keep('one')).toBe(true);
  });

  it.each([
    ['an endpoint', 'whk_1', 7 * 24],
    ['a host that jobs named', 'host_1', 1],
  ])(
    'expires the health of %s after its last delivery run (%s, %i hours)',
    async (_name, destination, hours) => {
      const { tenant, destinationKey, take, release } = deliveryQueue(undefined, destination);
      await take('one');
      const lifeHours = async () =>
        (await store.redis.pttl(store.keys.destination(tenant, destinationKey))) / 3_600_000;
      expect(await lifeHours()).toBeLessThan(0);
      await release('one');
      expect(await lifeHours()).toBeGreaterThan(hours - 0.1);
      expect(await lifeHours()).toBeLessThanOrEqual(hours);
      expect(await store.keysKeptOf(tenant)).toEqual([]);
    },
  );

  it('names another task for a destination whose health has expired, because its earlier task may still be delayed', async () => {
    const { tenant, destinationKey, put, visit } = deliveryQueue(undefined, 'host_1');
    const first = await put(createdAt);
    await store.redis.unlink(store.keys.destination(tenant, destinationKey));
    const second = await put(createdAt + 7_200_000);
    expect(second.taskId).not.toBe(first.taskId);
    expect(await store.redis.pttl(store.keys.destination(tenant, destinationKey))).toBeGreaterThan(0);
    await visit('one', createdAt + 7_200_000);
    expect((await put(createdAt + 7_200_001)).taskId).not.toBe(second.taskId);
  });
});

describe('pending deliveries', () => {
  it('returns due deliveries in the order of their due times, up to the limit', async () => {
    const { put, due } = deliveryQueue();
    const [third, first, second, later] = [await put(30), await put(10), await put(20), await put(50)];
    const inOrder = [first, second, third].map(({ delivery }) => delivery.id);
    expect(await due(49)).toEqual(inOrder);
    expect(await due(49, 2)).toEqual(inOrder.slice(0, 2));
    expect(await due(50)).toEqual([...inOrder, later.delivery.id]);
    expect(await due(9)).toEqual([]);
  });

  it('returns a due delivery with the payload of its event, or with null if the event was erased', async () => {
    const { tenant, destinationKey, put } = deliveryQueue();
    const [kept, erased] = [(await put(1)).delivery, (await put(2)).delivery];
    await store.events.remove(tenant, [erased.eventId]);
    expect(await store.deliveryQueues.due(tenant, destinationKey, { nowMs: createdAt, limit: 9 })).toEqual([
      { delivery: kept, content: { kind: 'body', body: '{}' } },
      { delivery: erased, content: null },
    ]);
  });

  it('drops a queued delivery whose row is lost and returns the remaining deliveries', async () => {
    const { tenant, put, due, take, release } = deliveryQueue();
    const [lost, kept] = [(await put(1)).delivery, (await put(2)).delivery];
    await store.redis.unlink(store.keys.delivery(tenant, lost.id));
    expect(await due()).toEqual([kept.id]);
    await store.redis.unlink(store.keys.delivery(tenant, kept.id));
    expect(await due()).toEqual([]);
    await take('one');
    expect(await release('one')).toBeNull();
  });

  it('counts a delivery while it is pending', async () => {
    const { tenant, put } = deliveryQueue();
    const [first] = [await put(), await put(), await deliveryQueue(tenant, 'whk_2').put()];
    expect(await store.deliveryQueues.countPending(tenant)).toBe(3);
    await store.deliveries.update(first.delivery, ({ dueAt: _dueAt, ...now }) => ({
      ...now,
      status: 'delivered',
      finishedAt: createdAt,
    }));
    expect(await store.deliveryQueues.countPending(tenant)).toBe(2);
  });
});
