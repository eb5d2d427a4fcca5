import { beforeAll, describe, expect, it } from 'vitest';
import { eventFor } from '../../src/domain/webhook-event.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';
import { freshTenant } from '../support/store.ts';
import { submitWithWebhook, webhook } from '../support/submitted-events.ts';
import { connectWebhookStore, deliveryOf, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

const soon = createdAt + 60_000;
const dispatchInput = { nowMs: createdAt, contentTtlMs: 60_000 };

describe('dispatch', () => {
  it('writes the deliveries of a dispatched event into their delivery queues', async () => {
    const { tenant, id, job } = await submitWithWebhook(store);
    const endpointServers = ['whk_1', 'host_1'];
    const deliveries = endpointServers.map((destinationKey) =>
      deliveryOf({ tenant, eventId: id, destinationKey, jobId: job.id }),
    );
    const dispatchTasks = await store.events.dispatch({ tenant, id }, { deliveries, ...dispatchInput });
    expect(dispatchTasks.map(({ destinationKey }) => destinationKey)).toEqual(endpointServers);
    expect(await store.events.hasContent(tenant, id)).toBe(true);
    expect(await store.events.undispatched(tenant, id)).toBeNull();
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([]);
    for (const [i, destinationKey] of endpointServers.entries()) {
      expect(await store.deliveryQueues.due(tenant, destinationKey, { nowMs: createdAt, limit: 9 })).toEqual([
        { delivery: deliveries[i], content: { kind: 'job', event: expect.objectContaining({ id, job }) } },
      ]);
    }
    expect(await store.deliveryQueues.countPending(tenant)).toBe(2);
  });

  it('dispatches an event to the maximum number of endpoints', async () => {
    const { tenant, id } = await submitWithWebhook(store);
    const destinationKeys = Array.from({ length: 1_000 }, (_, i) => `whk_${i}`);
    const deliveries = destinationKeys.map((destinationKey) =>
      deliveryOf({ tenant, eventId: id, destinationKey }),
    );
    const dispatchTasks = await store.events.dispatch({ tenant, id }, { deliveries, ...dispatchInput });
    expect(dispatchTasks.map(({ destinationKey }) => destinationKey)).toEqual(destinationKeys);
    expect(await store.deliveryQueues.countPending(tenant)).toBe(1_000);
  });

  it('changes nothing if an event is dispatched again', async () => {
    const { tenant, id } = await submitWithWebhook(store);
    const [first, second] = ['whk_1', 'whk_2'].map((destinationKey) =>
      deliveryOf({ tenant, eventId: id, destinationKey }),
    );
    if (!first || !second) throw new Error('two were made');
    await store.events.dispatch({ tenant, id }, { deliveries: [first], ...dispatchInput });
    await store.deliveries.update(first, (now) => ({ ...now, attempts: 1 }));
    expect(
      await store.events.dispatch({ tenant, id }, { deliveries: [first, second], ...dispatchInput }),
    ).toEqual([]);
    expect(await store.deliveries.get(tenant, second.id)).toBeNull();
    expect(await store.deliveries.get(tenant, first.id)).toMatchObject({ attempts: 1 });
  });

  it('lets exactly one of 20 concurrent dispatches of an event take effect, completely', async () => {
    const { tenant, id } = await submitWithWebhook(store);
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const deliveries = [1, 2, 3].map((n) =>
          deliveryOf({ tenant, eventId: id, destinationKey: `whk_${i}_${n}` }),
        );
        return store.events.dispatch({ tenant, id }, { deliveries, ...dispatchInput });
      }),
    );
    const [winner, ...others] = results.filter((dispatchTasks) => dispatchTasks.length > 0);
    expect(others).toEqual([]);
    const { deliveries } = await store.deliveries.list(tenant, { limit: 99 });
    const destinationKeys = deliveries.map(({ destinationKey }) => destinationKey).sort();
    const by = destinationKeys[0]?.split('_')[1];
    expect(destinationKeys).toEqual([1, 2, 3].map((n) => `whk_${by}_${n}`));
    expect(winner?.map(({ destinationKey }) => destinationKey)).toEqual(destinationKeys);
  });

  it('expires the content of a dispatched event after its lifetime', async () => {
    const { tenant, id } = await submitWithWebhook(store);
    await store.events.dispatch(
      { tenant, id },
      { deliveries: [deliveryOf({ tenant, eventId: id })], ...dispatchInput },
    );
    const life = await store.redis.pttl(store.keys.event(tenant, id));
    expect(life).toBeGreaterThan(0);
    expect(life).toBeLessThanOrEqual(dispatchInput.contentTtlMs);
  });

  it('writes no delivery after the event was erased', async () => {
    const { tenant, id, job } = await submitWithWebhook(store);
    await store.events.remove(tenant, [id]);
    const deliveries = [deliveryOf({ tenant, eventId: id, jobId: job.id })];
    expect(await store.events.dispatch({ tenant, id }, { deliveries, ...dispatchInput })).toEqual([]);
    await store.records.remove(job);
    expect(await store.keysKeptOf(tenant)).toEqual([]);
  });
});

describe('undispatched events', () => {
  it('lists undispatched events from before the given time, oldest first, up to the limit', async () => {
    const tenant = freshTenant();
    const eventWritten: string[] = [];
    for (const at of [30, 10, 20]) {
      const job = queuedJob({ tenant, nowMs: createdAt + at, request: { webhook } });
      const event = eventFor(job);
      await store.records.submit({ job, event, maxOpenJobs: 9 });
      eventWritten[at] = event.id;
    }
    const waiting = (before: number, limit: number) =>
      store.events.listUndispatched(tenant, { beforeMs: createdAt + before, limit });
    expect(await waiting(99, 9)).toEqual([eventWritten[10], eventWritten[20], eventWritten[30]]);
    expect(await waiting(99, 2)).toEqual([eventWritten[10], eventWritten[20]]);
    expect(await waiting(20, 9)).toEqual([eventWritten[10]]);
  });

  it('removes an event repeatedly, and ignores the removal of an event that was never written', async () => {
    const { tenant, id } = await submitWithWebhook(store);
    for (let i = 0; i < 2; i++) await store.events.remove(tenant, [id, 'evt_never']);
    expect(await store.events.undispatched(tenant, id)).toBeNull();
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([]);
  });

  it('hides the events of one tenant from every other tenant', async () => {
    const { tenant, id } = await submitWithWebhook(store);
    const other = freshTenant();
    expect(await store.events.undispatched(other, id)).toBeNull();
    expect(await store.events.listUndispatched(other, { beforeMs: soon, limit: 10 })).toEqual([]);
    await store.events.remove(other, [id]);
    const deliveries = [deliveryOf({ tenant: other, eventId: id })];
    expect(await store.events.dispatch({ tenant: other, id }, { deliveries, ...dispatchInput })).toEqual([]);
    expect(await store.events.undispatched(tenant, id)).not.toBeNull();
    await store.events.dispatch(
      { tenant, id },
      { deliveries: [deliveryOf({ tenant, eventId: id })], ...dispatchInput },
    );
    expect(await store.events.hasContent(other, id)).toBe(false);
  });
});
