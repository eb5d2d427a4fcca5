import { beforeAll, describe, expect, it } from 'vitest';
import { afterFailure, healthy } from '../../src/domain/destination-health.ts';
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

describe('the time of the next delivery run after a lease is released', () => {
  it('schedules no further run if no delivery is pending', async () => {
    const { visit } = deliveryQueue();
    expect(await visit('one', createdAt)).toBeNull();
  });

  it('schedules the next run at once if a delivery is due, otherwise at its due time', async () => {
    const { put, visit } = deliveryQueue();
    await put(createdAt + 5_000);
    expect(await visit('one', createdAt)).toEqual({ againInMs: 5_000 });
    expect(await visit('two', createdAt + 5_000)).toEqual({ againInMs: 0 });
    expect(await visit('three', createdAt + 9_000)).toEqual({ againInMs: 0 });
  });

  it('schedules the next run no earlier than the end of the cooldown of the destination', async () => {
    const { put, take, keep, release } = deliveryQueue();
    await put(createdAt + 1_000);
    await take('one');
    await keep('one', createdAt, { failures: 5, failingSince: createdAt, blockedUntil: createdAt + 15_000 });
    expect(await release('one')).toEqual({ againInMs: 15_000 });
  });

  it('schedules one later run even if 20 runs release their leases', async () => {
    const { put, visit } = deliveryQueue();
    await put(createdAt + 5_000);
    const eventWritten = [];
    for (let i = 0; i < 20; i++) eventWritten.push(await visit(`run ${i}`, createdAt + i));
    expect(eventWritten).toEqual([{ againInMs: 5_000 }, ...Array.from({ length: 19 }, () => null)]);
    // The scheduled run starts, and again only one run is scheduled.
    await put(createdAt + 8_000, { id: 'dlv_later' });
    expect(await visit('sleeper', createdAt + 5_000)).toEqual({ againInMs: 0 });
  });

  it('schedules one additional run if a new delivery is due sooner, and each run once', async () => {
    const { tenant, put, visit, take, release } = deliveryQueue();
    await put(createdAt + 9_000);
    expect(await visit('one', createdAt)).toEqual({ againInMs: 9_000 });
    const { delivery } = await put(createdAt + 3_000);
    expect(await visit('two', createdAt)).toEqual({ againInMs: 3_000 });
    expect(await visit('three', createdAt)).toBeNull();
    await take('two', createdAt + 3_000);
    await store.deliveries.update(delivery, ({ dueAt: _dueAt, ...now }) => ({ ...now, status: 'delivered' }));
    expect(await release('two', createdAt + 3_000)).toEqual({ againInMs: 6_000 });
    expect(await visit('four', createdAt + 3_001)).toBeNull();
    expect(await store.deliveryQueues.countPending(tenant)).toBe(1);
  });
});

describe('dispatch tasks', () => {
  it('uses one task id until a lease is acquired, and a new id whenever the lease is acquired or released', async () => {
    const { tenant, destinationKey, put, take, release } = deliveryQueue();
    const dispatchTask = async () => (await store.deliveryQueues.dispatchTask(tenant, destinationKey)).taskId;
    const first = await dispatchTask();
    expect((await put()).taskId).toBe(first);
    expect((await put()).taskId).toBe(first);
    await take('one');
    const second = await dispatchTask();
    await release('one');
    const third = await dispatchTask();
    expect((await put()).taskId).toBe(third);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('creates no dispatch task while a run holds the lease, and creates one after the lease has expired', async () => {
    const { put, take, release } = deliveryQueue();
    await take('one');
    expect((await put()).taskId).toBeUndefined();
    expect(await release('one')).toEqual({ againInMs: 0 });
    await take('two');
    expect((await put(createdAt + 19_999)).taskId).toBeUndefined();
    expect((await put(createdAt + 20_000)).taskId).toBeDefined();
  });

  it('keeps the task id if a run renews the lease or fails to acquire it', async () => {
    const { tenant, destinationKey, take, keep } = deliveryQueue();
    await take('one');
    const { taskId } = await store.deliveryQueues.dispatchTask(tenant, destinationKey);
    await keep('one');
    await take('other');
    expect((await store.deliveryQueues.dispatchTask(tenant, destinationKey)).taskId).toBe(taskId);
  });
});

describe('overdue delivery queues', () => {
  const overdue = async (tenant: string, beforeMs: number, limit = 99) =>
    (await store.deliveryQueues.overdue(tenant, { beforeMs, limit })).dispatchTasks;

  it('lists a delivery queue whose first delivery was due before the given time', async () => {
    const { tenant, destinationKey, put } = deliveryQueue();
    await put(createdAt + 10);
    expect(await overdue(tenant, createdAt + 10)).toEqual([]);
    expect(await overdue(tenant, createdAt + 11)).toEqual([
      await store.deliveryQueues.dispatchTask(tenant, destinationKey),
    ]);
    expect(await overdue(`other-${tenant}`, createdAt + 11)).toEqual([]);
  });

  it('omits a delivery queue that a run is processing, until its lease expires', async () => {
    const { tenant, put, take } = deliveryQueue();
    await put();
    await take('one', createdAt);
    expect(await overdue(tenant, createdAt + 19_999)).toEqual([]);
    expect(await overdue(tenant, createdAt + 20_000)).toHaveLength(1);
  });

  it('omits delivery queues that are empty, due later, or blocked by the cooldown of their destination', async () => {
    const { tenant, take, keep, release, put } = deliveryQueue();
    const [later, empty] = [deliveryQueue(tenant, 'whk_later'), deliveryQueue(tenant, 'whk_empty')];
    await put();
    await take('one');
    await keep('one', createdAt, afterFailure(healthy, createdAt, 60_000));
    await release('one');
    await later.put(createdAt + 60_000);
    const { delivery } = await empty.put();
    await store.deliveries.update(delivery, ({ dueAt: _dueAt, ...now }) => ({ ...now, status: 'delivered' }));
    await empty.visit('one', createdAt);
    expect(await overdue(tenant, createdAt + 60_000)).toEqual([]);
    expect(
      (await overdue(tenant, createdAt + 60_001)).map(({ destinationKey }) => destinationKey).sort(),
    ).toEqual(['whk_1', 'whk_later']);
  });

  it('lists overdue delivery queues in the order of their due times, up to the limit', async () => {
    const { tenant } = deliveryQueue();
    for (const [i, dueAt] of [30, 10, 20].entries()) await deliveryQueue(tenant, `whk_${i}`).put(dueAt);
    expect((await overdue(tenant, createdAt, 2)).map(({ destinationKey }) => destinationKey)).toEqual([
      'whk_1',
      'whk_2',
    ]);
  });

  it('lists overdue delivery queues page by page and marks the last page, even if a page omits some of them', async () => {
    const { tenant } = deliveryQueue();
    for (const i of [0, 1, 2]) await deliveryQueue(tenant, `whk_${i}`).put(i);
    await deliveryQueue(tenant, 'whk_0').take('one');
    const page = (offset: number) =>
      store.deliveryQueues.overdue(tenant, { beforeMs: createdAt, limit: 2, offset });
    expect(await page(0)).toMatchObject({ dispatchTasks: [{ destinationKey: 'whk_1' }], isLast: false });
    expect(await page(2)).toMatchObject({ dispatchTasks: [{ destinationKey: 'whk_2' }], isLast: true });
    expect(await page(4)).toEqual({ dispatchTasks: [], isLast: true });
  });
});
