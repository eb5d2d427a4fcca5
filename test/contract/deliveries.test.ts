import { beforeAll, describe, expect, it } from 'vitest';
import { type Delivery, restartSchedule } from '../../src/domain/webhook-delivery.ts';
import { createdAt } from '../support/jobs.ts';
import { arrivesAt, failsAt, idsDue, idsOf, posted } from '../support/posted-deliveries.ts';
import { freshTenant } from '../support/store.ts';
import { attemptOf, connectWebhookStore, deliveryOf, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

describe('updating a delivery', () => {
  it('loses no change and no attempt of 50 concurrent updates of a delivery', async () => {
    const delivery = await posted(store);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        store.deliveries.update(
          delivery,
          (now) => ({ ...now, attempts: now.attempts + 1, dueAt: createdAt + now.attempts + 1 }),
          i < 20 ? attemptOf({ at: i }) : undefined,
        ),
      ),
    );
    const after = await store.deliveries.get(delivery.tenant, delivery.id);
    expect(after).toMatchObject({ attempts: 50, version: 51, dueAt: createdAt + 50 });
    const [attempts = []] = await store.deliveries.attempts(delivery.tenant, [delivery.id]);
    expect(attempts.map(({ at }) => at).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    expect(new Set(attempts.map(({ no }) => no)).size).toBe(20);
  });

  it('leaves a delivery unchanged if the update decides against a change', async () => {
    const delivery = await posted(store);
    const known = { ...delivery, version: 0 };
    expect(
      await store.deliveries.update(known, (now) => (now.version === 0 ? now : null), attemptOf()),
    ).toEqual(delivery);
    expect(await store.deliveries.attempts(delivery.tenant, [delivery.id])).toEqual([[]]);
  });

  it('moves a delivery in its queue to its next due time', async () => {
    const delivery = await posted(store);
    await store.deliveries.update(delivery, failsAt(createdAt));
    expect(await idsDue(store, delivery, createdAt + 4_999)).toEqual([]);
    expect(await idsDue(store, delivery, createdAt + 5_000)).toEqual([delivery.id]);
  });

  it('removes a finished delivery from its queue and returns it to the queue when it is sent again', async () => {
    const delivery = await posted(store);
    const { tenant, id } = delivery;
    await store.deliveries.update(delivery, arrivesAt(createdAt + 1));
    expect(await idsDue(store, delivery, Number.MAX_SAFE_INTEGER)).toEqual([]);
    expect(await store.deliveryQueues.countPending(tenant)).toBe(0);
    expect(await idsOf(store, tenant, { status: 'pending' })).toEqual([]);
    expect(await idsOf(store, tenant, { status: 'delivered' })).toEqual([id]);
    await store.deliveries.update(delivery, (now) => restartSchedule(now, createdAt + 9));
    expect(await idsDue(store, delivery, createdAt + 9)).toEqual([id]);
    expect(await idsOf(store, tenant, { status: 'pending' })).toEqual([id]);
    expect(await idsOf(store, tenant, { status: 'delivered' })).toEqual([]);
    expect(await store.deliveries.purge(tenant, Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('does not restore a delivery that was removed during the update', async () => {
    const delivery = await posted(store, { jobId: 'img_gone' });
    await store.deliveries.removeOf(delivery.tenant, 'img_gone');
    expect(await store.deliveries.update(delivery, failsAt(createdAt), attemptOf())).toBeNull();
    expect(await store.deliveries.get(delivery.tenant, delivery.id)).toBeNull();
    expect(await idsDue(store, delivery, Number.MAX_SAFE_INTEGER)).toEqual([]);
    expect(await store.deliveries.attempts(delivery.tenant, [delivery.id])).toEqual([[]]);
  });
});

describe('the attempts of a delivery', () => {
  it('returns the attempts of a delivery in the order in which they were recorded', async () => {
    const delivery = await posted(store);
    const noted = [
      attemptOf({ no: 1, status: null, outcome: 'timeout', detail: 'The endpoint did not respond.' }),
      attemptOf({ no: 2, at: createdAt + 5_000, response: 'Zürich 夜' }),
    ];
    for (const attempt of noted) await store.deliveries.update(delivery, failsAt(createdAt), attempt);
    expect(await store.deliveries.attempts(delivery.tenant, [delivery.id, 'dlv_never'])).toEqual([noted, []]);
  });

  it('retains the latest 30 attempts of a delivery', async () => {
    const delivery = await posted(store);
    for (let i = 1; i <= 35; i++)
      await store.deliveries.update(delivery, (now) => ({ ...now, attempts: i }), attemptOf());
    const [attempts = []] = await store.deliveries.attempts(delivery.tenant, [delivery.id]);
    expect(attempts.map(({ no }) => no)).toEqual(Array.from({ length: 30 }, (_, i) => i + 6));
  });
});

describe('a test delivery', () => {
  it('logs a test delivery with its attempt and payload, does not queue it, and purges it like any other', async () => {
    const tenant = freshTenant();
    const { dueAt: _dueAt, jobId: _jobId, ...rest } = deliveryOf({ tenant });
    const delivery: Delivery = { ...rest, type: 'webhook.test', status: 'failed', finishedAt: createdAt };
    const bytes = { body: '{"type":"webhook.test"}', contentTtlMs: 60_000 };
    await store.deliveries.createEnded(delivery, attemptOf(), bytes);
    expect(await store.deliveries.get(tenant, delivery.id)).toEqual(delivery);
    expect(await store.deliveries.attempts(tenant, [delivery.id])).toEqual([[attemptOf()]]);
    expect(await store.events.hasContent(tenant, delivery.eventId)).toBe(true);
    for (const query of [{}, { status: 'failed' as const }, { destinationKey: delivery.destinationKey }])
      expect(await idsOf(store, tenant, query)).toEqual([delivery.id]);
    expect(await idsDue(store, delivery, Number.MAX_SAFE_INTEGER)).toEqual([]);
    // Without this entry the sweeper would skip a tenant that has no jobs.
    expect(await store.records.tenants()).toContain(tenant);
    expect(await store.deliveries.purge(tenant, createdAt)).toBe(1);
    expect(await store.keysKeptOf(tenant)).toEqual([]);
    expect(await store.events.hasContent(tenant, delivery.eventId)).toBe(false);
  });

  it('replaces the oldest test delivery of a tenant that has 1,000 of them', async () => {
    const tenant = freshTenant();
    const kept = await posted(store, { tenant, at: createdAt - 1_000 });
    const tests = Array.from({ length: 1_003 }, (_, i): Delivery => {
      const { dueAt: _dueAt, jobId: _jobId, ...rest } = deliveryOf({ tenant, at: createdAt + i });
      return { ...rest, type: 'webhook.test', status: 'delivered', finishedAt: createdAt + i };
    });
    for (const test of tests)
      await store.deliveries.createEnded(test, attemptOf(), { body: '{}', contentTtlMs: 60_000 });
    const isThere = await Promise.all(
      tests.map(async ({ id, eventId }) => [
        (await store.deliveries.get(tenant, id)) !== null,
        await store.events.hasContent(tenant, eventId),
      ]),
    );
    expect(isThere).toEqual(tests.map((_, i) => [i >= 3, i >= 3]));
    const listed = await store.deliveries.list(tenant, { status: 'delivered', limit: 2_000 });
    expect(listed.deliveries).toHaveLength(1_000);
    expect(await store.deliveries.get(tenant, kept.id)).toEqual(kept);
  });
});

describe('another tenant', () => {
  it('hides the delivery of one tenant from reads, updates and purges of another tenant', async () => {
    const delivery = await posted(store, { jobId: 'img_1' });
    const other = freshTenant();
    expect(await store.deliveries.get(other, delivery.id)).toBeNull();
    expect(await store.deliveries.update({ ...delivery, tenant: other }, arrivesAt(createdAt))).toBeNull();
    expect(await store.deliveries.list(other, { limit: 9 })).toEqual({ deliveries: [], nextBeforeId: null });
    await store.deliveries.removeOf(other, 'img_1');
    expect(await store.deliveries.purge(other, Number.MAX_SAFE_INTEGER)).toBe(0);
    expect(await store.deliveries.get(delivery.tenant, delivery.id)).toEqual(delivery);
  });
});
