import { beforeAll, describe, expect, it } from 'vitest';
import { afterFailure, healthy } from '../../src/domain/receiver-health.ts';
import type { Delivery } from '../../src/domain/webhook-delivery.ts';
import { createdAt } from '../support/jobs.ts';
import { connectWebhookStore, deliveryOf, post, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

let tenants = 0;
/** The mailbox of a receiver of one test's own, and those who come to empty it. */
function mailbox(tenant = `t${++tenants}`, target = 'whk_1') {
  const { mailboxes } = store;
  const leaseMs = 20_000;
  const take = (run: string, nowMs = createdAt) => mailboxes.take(tenant, target, { run, nowMs, leaseMs });
  const release = (run: string, nowMs = createdAt) => mailboxes.release(tenant, target, { run, nowMs });
  return {
    tenant,
    target,
    take,
    release,
    keep: (run: string, nowMs = createdAt, health = healthy) =>
      mailboxes.keep(tenant, target, { run, nowMs, leaseMs, health }),
    due: async (nowMs = createdAt, limit = 99) =>
      (await mailboxes.due(tenant, target, { nowMs, limit })).map(({ delivery }) => delivery.id),
    /** What to queue after a delivery was put in. */
    async put(dueAt = createdAt, fields: Partial<Delivery> = {}) {
      const delivery = deliveryOf({ tenant, target, dueAt, ...fields });
      const [wake] = await post(store, delivery);
      return { delivery, taskId: wake?.taskId };
    },
    /** One whole visit by somebody who delivers nothing. */
    async visit(run: string, nowMs: number) {
      await take(run, nowMs);
      return release(run, nowMs);
    },
    health: async () => (await mailboxes.health(tenant, [target]))[0],
  };
}

describe('the right to empty a mailbox', () => {
  it('is had by one of twenty who ask at once; the others hear until when, and one of them watches', async () => {
    const { take } = mailbox();
    const taken = await Promise.all(Array.from({ length: 20 }, (_, i) => take(`run ${i}`)));
    expect(taken.filter((each) => 'health' in each)).toHaveLength(1);
    const others = taken.filter((each) => 'heldUntilMs' in each);
    expect(others.map(({ heldUntilMs }) => heldUntilMs)).toEqual(
      Array.from({ length: 19 }, () => createdAt + 20_000),
    );
    expect(others.filter(({ isWatched }) => !isWatched)).toHaveLength(1);
  });

  it('that is kept beyond its time is watched on by the one who came back', async () => {
    const { take, keep, release } = mailbox();
    await take('one');
    const watched = { heldUntilMs: createdAt + 35_000, isWatched: true };
    expect(await take('watcher')).toMatchObject({ isWatched: false });
    await keep('one', createdAt + 15_000);
    expect(await take('other', createdAt + 15_000)).toEqual(watched);
    expect(await take('watcher', createdAt + 20_000)).toEqual({ ...watched, isWatched: false });
    expect(await take('other', createdAt + 20_001)).toEqual(watched);
    await release('one', createdAt + 21_000);
    await take('two', createdAt + 21_000);
    // The watcher is still to come, and that is before the new right would end.
    expect(await take('other', createdAt + 21_001)).toEqual({
      ...{ heldUntilMs: createdAt + 41_000, isWatched: true },
    });
  });

  it('can be kept beyond its time', async () => {
    const { take, keep } = mailbox();
    await take('one');
    expect(await keep('one', createdAt + 15_000)).toBe(true);
    expect(await take('other', createdAt + 34_999)).toMatchObject({ heldUntilMs: createdAt + 35_000 });
  });

  it('goes to another when its time is over, and then its holder can neither keep it nor give it back', async () => {
    const { take, keep, release, put } = mailbox();
    await put();
    await take('one');
    expect(await take('other', createdAt + 20_000)).toEqual({ health: healthy });
    expect(await keep('one', createdAt + 20_001)).toBe(false);
    expect(await release('one', createdAt + 20_001)).toBeNull();
    expect(await take('third', createdAt + 20_002)).toMatchObject({ heldUntilMs: createdAt + 40_000 });
    expect(await release('other', createdAt + 20_003)).toEqual({ againInMs: 0 });
  });

  it('can be had at once when it was given back', async () => {
    const { take, release } = mailbox();
    await take('one');
    await release('one');
    expect(await take('other')).toEqual({ health: healthy });
  });

  it('is had apart for every receiver and every tenant', async () => {
    const first = mailbox();
    await first.take('one');
    expect(await mailbox(first.tenant, 'whk_2').take('two')).toEqual({ health: healthy });
    expect(await mailbox(undefined, 'whk_1').take('three')).toEqual({ health: healthy });
  });
});

describe('how a receiver does', () => {
  it('is handed from run to run', async () => {
    const { take, keep, release, health } = mailbox();
    const failing = afterFailure(afterFailure(healthy, createdAt, undefined), createdAt + 5, 60_000);
    await take('one');
    await keep('one', createdAt, failing);
    await release('one');
    expect(await health()).toEqual(failing);
    expect(await take('other')).toEqual({ health: failing });
  });

  it('is not noted by one who has lost the right', async () => {
    const { take, keep, health } = mailbox();
    await take('one');
    await take('other', createdAt + 20_000);
    await keep('one', createdAt + 20_001, afterFailure(healthy, createdAt, undefined));
    expect(await health()).toEqual(healthy);
  });

  it('is forgotten when somebody says that it works again', async () => {
    const { tenant, target, take, keep, release, put } = mailbox();
    await put();
    await take('one');
    await keep('one', createdAt, afterFailure(healthy, createdAt, 3_600_000));
    expect(await release('one')).toEqual({ againInMs: 3_600_000 });
    await store.mailboxes.forgive(tenant, target);
    expect(await take('other')).toEqual({ health: healthy });
    expect(await release('other')).toEqual({ againInMs: 0 });
  });

  it('is forgotten by itself, a long time after the last mail', async () => {
    const { tenant, target, take, release } = mailbox();
    await take('one');
    expect(await store.redis.pttl(store.keys.receiver(tenant, target))).toBe(-1);
    await release('one');
    const days = (await store.redis.pttl(store.keys.receiver(tenant, target))) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(await store.keysKeptOf(tenant)).toEqual([]);
  });
});

describe('mail', () => {
  it('that is due comes longest due first, as much as asked for', async () => {
    const { put, due } = mailbox();
    const [third, first, second, later] = [await put(30), await put(10), await put(20), await put(50)];
    const inOrder = [first, second, third].map(({ delivery }) => delivery.id);
    expect(await due(49)).toEqual(inOrder);
    expect(await due(49, 2)).toEqual(inOrder.slice(0, 2));
    expect(await due(50)).toEqual([...inOrder, later.delivery.id]);
    expect(await due(9)).toEqual([]);
  });

  it('comes with its bytes, and says when they are gone', async () => {
    const { tenant, target, put } = mailbox();
    const [kept, erased] = [(await put(1)).delivery, (await put(2)).delivery];
    await store.events.remove(tenant, [erased.eventId]);
    expect(await store.mailboxes.due(tenant, target, { nowMs: createdAt, limit: 9 })).toEqual([
      { delivery: kept, body: '{}' },
      { delivery: erased, body: null },
    ]);
  });

  it('whose row is lost is dropped, and keeps nobody from the rest', async () => {
    const { tenant, put, due, take, release } = mailbox();
    const [lost, kept] = [(await put(1)).delivery, (await put(2)).delivery];
    await store.redis.unlink(store.keys.delivery(tenant, lost.id));
    expect(await due()).toEqual([kept.id]);
    await store.redis.unlink(store.keys.delivery(tenant, kept.id));
    expect(await due()).toEqual([]);
    await take('one');
    expect(await release('one')).toBeNull();
  });

  it('is counted while it is pending', async () => {
    const { tenant, put } = mailbox();
    const [first] = [await put(), await put(), await mailbox(tenant, 'whk_2').put()];
    expect(await store.mailboxes.countPending(tenant)).toBe(3);
    await store.deliveries.update(first.delivery, ({ dueAt: _dueAt, ...now }) => ({
      ...now,
      status: 'delivered',
      finishedAt: createdAt,
    }));
    expect(await store.mailboxes.countPending(tenant)).toBe(2);
  });
});

describe('giving the right back says when to come again', () => {
  it('never when nothing is left', async () => {
    const { visit } = mailbox();
    expect(await visit('one', createdAt)).toBeNull();
  });

  it('at once for mail that is due, later for mail that is due later', async () => {
    const { put, visit } = mailbox();
    await put(createdAt + 5_000);
    expect(await visit('one', createdAt)).toEqual({ againInMs: 5_000 });
    expect(await visit('two', createdAt + 5_000)).toEqual({ againInMs: 0 });
    expect(await visit('three', createdAt + 9_000)).toEqual({ againInMs: 0 });
  });

  it('not before the receiver has rested', async () => {
    const { put, take, keep, release } = mailbox();
    await put(createdAt + 1_000);
    await take('one');
    await keep('one', createdAt, { failures: 5, failingSince: createdAt, restUntil: createdAt + 15_000 });
    expect(await release('one')).toEqual({ againInMs: 15_000 });
  });

  it('to one of many only, who are told to come later', async () => {
    const { put, visit } = mailbox();
    await put(createdAt + 5_000);
    const told = [];
    for (let i = 0; i < 20; i++) told.push(await visit(`run ${i}`, createdAt + i));
    expect(told).toEqual([{ againInMs: 5_000 }, ...Array.from({ length: 19 }, () => null)]);
    // The one who was told comes, and again only one is told.
    await put(createdAt + 8_000, { id: 'dlv_later' });
    expect(await visit('sleeper', createdAt + 5_000)).toEqual({ againInMs: 0 });
  });

  it('to one more when mail turns up that is due sooner, and each of them is told once', async () => {
    const { tenant, put, visit, take, release } = mailbox();
    await put(createdAt + 9_000);
    expect(await visit('one', createdAt)).toEqual({ againInMs: 9_000 });
    const { delivery } = await put(createdAt + 3_000);
    expect(await visit('two', createdAt)).toEqual({ againInMs: 3_000 });
    expect(await visit('three', createdAt)).toBeNull();
    await take('two', createdAt + 3_000);
    await store.deliveries.update(delivery, ({ dueAt: _dueAt, ...now }) => ({ ...now, status: 'delivered' }));
    expect(await release('two', createdAt + 3_000)).toEqual({ againInMs: 6_000 });
    expect(await visit('four', createdAt + 3_001)).toBeNull();
    expect(await store.mailboxes.countPending(tenant)).toBe(1);
  });
});

describe('a wake', () => {
  it('is one task for as long as nobody has come, and another one after every change of hands', async () => {
    const { tenant, target, put, take, release } = mailbox();
    const wake = async () => (await store.mailboxes.wake(tenant, target)).taskId;
    const first = await wake();
    expect((await put()).taskId).toBe(first);
    expect((await put()).taskId).toBe(first);
    await take('one');
    const second = await wake();
    await release('one');
    const third = await wake();
    expect((await put()).taskId).toBe(third);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('is not needed while somebody has the right, who looks again before leaving; it is when that one died', async () => {
    const { put, take, release } = mailbox();
    await take('one');
    expect((await put()).taskId).toBeUndefined();
    expect(await release('one')).toEqual({ againInMs: 0 });
    await take('two');
    expect((await put(createdAt + 19_999)).taskId).toBeUndefined();
    expect((await put(createdAt + 20_000)).taskId).toBeDefined();
  });

  it('is not another one because a run keeps the right, or because somebody fails to get it', async () => {
    const { tenant, target, take, keep } = mailbox();
    await take('one');
    const { taskId } = await store.mailboxes.wake(tenant, target);
    await keep('one');
    await take('other');
    expect((await store.mailboxes.wake(tenant, target)).taskId).toBe(taskId);
  });
});

describe('mailboxes that nobody looks at', () => {
  const overdue = (tenant: string, beforeMs: number, limit = 99) =>
    store.mailboxes.overdue(tenant, beforeMs, limit);

  it('are those whose mail has been due since before a moment', async () => {
    const { tenant, target, put } = mailbox();
    await put(createdAt + 10);
    expect(await overdue(tenant, createdAt + 10)).toEqual([]);
    expect(await overdue(tenant, createdAt + 11)).toEqual([await store.mailboxes.wake(tenant, target)]);
    expect(await overdue(`other-${tenant}`, createdAt + 11)).toEqual([]);
  });

  it('are not those that somebody empties, until that one is taken for dead', async () => {
    const { tenant, put, take } = mailbox();
    await put();
    await take('one', createdAt);
    expect(await overdue(tenant, createdAt + 19_999)).toEqual([]);
    expect(await overdue(tenant, createdAt + 20_000)).toHaveLength(1);
  });

  it('are not those whose receiver rests, whose mail is due later, or that are empty', async () => {
    const { tenant, take, keep, release, put } = mailbox();
    const [later, empty] = [mailbox(tenant, 'whk_later'), mailbox(tenant, 'whk_empty')];
    await put();
    await take('one');
    await keep('one', createdAt, afterFailure(healthy, createdAt, 60_000));
    await release('one');
    await later.put(createdAt + 60_000);
    const { delivery } = await empty.put();
    await store.deliveries.update(delivery, ({ dueAt: _dueAt, ...now }) => ({ ...now, status: 'delivered' }));
    await empty.visit('one', createdAt);
    expect(await overdue(tenant, createdAt + 60_000)).toEqual([]);
    expect((await overdue(tenant, createdAt + 60_001)).map(({ target }) => target).sort()).toEqual([
      'whk_1',
      'whk_later',
    ]);
  });

  it('come longest due first, as many as asked for', async () => {
    const { tenant } = mailbox();
    for (const [i, dueAt] of [30, 10, 20].entries()) await mailbox(tenant, `whk_${i}`).put(dueAt);
    expect((await overdue(tenant, createdAt, 2)).map(({ target }) => target)).toEqual(['whk_1', 'whk_2']);
  });
});
