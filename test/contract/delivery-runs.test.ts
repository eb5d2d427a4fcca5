import { beforeAll, describe, expect, it } from 'vitest';
import { afterFailure, healthy } from '../../src/domain/destination-health.ts';
import { createdAt } from '../support/jobs.ts';
import { connectWebhookStore, deliveryQueueIn, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

let tenants = 0;
/** The mailbox of a receiver, by default of one that no other test has. */
const deliveryQueue = (tenant = `t${++tenants}`, destinationKey = 'whk_1') =>
  deliveryQueueIn(store, tenant, destinationKey);

describe('giving the right back says when to come again', () => {
  it('never when nothing is left', async () => {
    const { visit } = deliveryQueue();
    expect(await visit('one', createdAt)).toBeNull();
  });

  it('at once for mail that is due, later for mail that is due later', async () => {
    const { put, visit } = deliveryQueue();
    await put(createdAt + 5_000);
    expect(await visit('one', createdAt)).toEqual({ againInMs: 5_000 });
    expect(await visit('two', createdAt + 5_000)).toEqual({ againInMs: 0 });
    expect(await visit('three', createdAt + 9_000)).toEqual({ againInMs: 0 });
  });

  it('not before the receiver has rested', async () => {
    const { put, take, keep, release } = deliveryQueue();
    await put(createdAt + 1_000);
    await take('one');
    await keep('one', createdAt, { failures: 5, failingSince: createdAt, blockedUntil: createdAt + 15_000 });
    expect(await release('one')).toEqual({ againInMs: 15_000 });
  });

  it('to one of many only, who are told to come later', async () => {
    const { put, visit } = deliveryQueue();
    await put(createdAt + 5_000);
    const eventWritten = [];
    for (let i = 0; i < 20; i++) eventWritten.push(await visit(`run ${i}`, createdAt + i));
    expect(eventWritten).toEqual([{ againInMs: 5_000 }, ...Array.from({ length: 19 }, () => null)]);
    // The one who was told comes, and again only one is told.
    await put(createdAt + 8_000, { id: 'dlv_later' });
    expect(await visit('sleeper', createdAt + 5_000)).toEqual({ againInMs: 0 });
  });

  it('to one more when mail turns up that is due sooner, and each of them is told once', async () => {
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

describe('a wake', () => {
  it('is one task for as long as nobody has come, and another one after every change of hands', async () => {
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

  it('is not needed while somebody has the right, who looks again before leaving; it is when that one died', async () => {
    const { put, take, release } = deliveryQueue();
    await take('one');
    expect((await put()).taskId).toBeUndefined();
    expect(await release('one')).toEqual({ againInMs: 0 });
    await take('two');
    expect((await put(createdAt + 19_999)).taskId).toBeUndefined();
    expect((await put(createdAt + 20_000)).taskId).toBeDefined();
  });

  it('is not another one because a run keeps the right, or because somebody fails to get it', async () => {
    const { tenant, destinationKey, take, keep } = deliveryQueue();
    await take('one');
    const { taskId } = await store.deliveryQueues.dispatchTask(tenant, destinationKey);
    await keep('one');
    await take('other');
    expect((await store.deliveryQueues.dispatchTask(tenant, destinationKey)).taskId).toBe(taskId);
  });
});

describe('mailboxes that nobody looks at', () => {
  const overdue = async (tenant: string, beforeMs: number, limit = 99) =>
    (await store.deliveryQueues.overdue(tenant, { beforeMs, limit })).dispatchTasks;

  it('are those whose mail has been due since before a moment', async () => {
    const { tenant, destinationKey, put } = deliveryQueue();
    await put(createdAt + 10);
    expect(await overdue(tenant, createdAt + 10)).toEqual([]);
    expect(await overdue(tenant, createdAt + 11)).toEqual([
      await store.deliveryQueues.dispatchTask(tenant, destinationKey),
    ]);
    expect(await overdue(`other-${tenant}`, createdAt + 11)).toEqual([]);
  });

  it('are not those that somebody empties, until that one is taken for dead', async () => {
    const { tenant, put, take } = deliveryQueue();
    await put();
    await take('one', createdAt);
    expect(await overdue(tenant, createdAt + 19_999)).toEqual([]);
    expect(await overdue(tenant, createdAt + 20_000)).toHaveLength(1);
  });

  it('are not those whose receiver rests, whose mail is due later, or that are empty', async () => {
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

  it('come longest due first, as many as asked for', async () => {
    const { tenant } = deliveryQueue();
    for (const [i, dueAt] of [30, 10, 20].entries()) await deliveryQueue(tenant, `whk_${i}`).put(dueAt);
    expect((await overdue(tenant, createdAt, 2)).map(({ destinationKey }) => destinationKey)).toEqual([
      'whk_1',
      'whk_2',
    ]);
  });

  it('come page by page, of which the last one says so, however many of a page are left out', async () => {
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
