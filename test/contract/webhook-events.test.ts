import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import { disable } from '../../src/domain/webhook-endpoint.ts';
import { type EventPattern, eventFor } from '../../src/domain/webhook-event.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';
import { connectWebhookStore, deliveryOf, endpointOf, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

let tenants = 0;
const freshTenant = () => `t${++tenants}`;
const webhook = { url: 'https://receiver.example/hook' };
const soon = createdAt + 60_000;
const dispatchInput = { nowMs: createdAt, keepMs: 60_000 };

/** Submits a job whose own webhook subscribes to all events. */
async function submit(tenant = freshTenant()) {
  const job = queuedJob({ tenant, request: { webhook } });
  const event = eventFor(job);
  const outcome = await store.records.submit({ job, event, maxOpenJobs: 9 });
  return { job, tenant, event, id: event.id, outcome };
}

/** Submits a job without a webhook of its own and returns whether its event was written. */
async function isClassified(tenant: string): Promise<boolean> {
  const job = queuedJob({ tenant });
  const event = eventFor(job);
  const outcome = await store.records.submit({ job, event, maxOpenJobs: 9 });
  const eventWritten = (await store.events.undispatched(tenant, event.id)) !== null;
  expect(outcome).toEqual({ kind: 'created', ...(eventWritten ? { eventWritten: true } : {}) });
  return eventWritten;
}

describe('the event of a submission', () => {
  it('writes the event atomically with the submission, with the job of that moment', async () => {
    const { job, tenant, id, outcome } = await submit();
    expect(outcome).toEqual({ kind: 'created', eventWritten: true });
    expect(await store.events.undispatched(tenant, id)).toEqual({
      ...{ id, tenant, type: 'image.queued', at: createdAt, job },
    });
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([id]);
  });

  it('writes no event if the submission is refused', async () => {
    const { tenant, id: first } = await submit();
    const job = queuedJob({ tenant, request: { webhook } });
    const event = eventFor(job);
    expect(await store.records.submit({ job, event, maxOpenJobs: 1 })).toEqual({ kind: 'queue_full' });
    expect(await store.events.undispatched(tenant, event.id)).toBeNull();
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([first]);
  });

  it('writes an event for each job of a batch whose own webhook subscribes to it, and for no other job', async () => {
    const tenant = freshTenant();
    const jobs = [{}, { webhook }, {}].map((request) => queuedJob({ tenant, request }));
    const submissions = jobs.map((job) => ({ job, event: eventFor(job), maxOpenJobs: 9 }));
    const outcomes = await Promise.all(submissions.map((emit) => store.records.submit(emit)));
    expect(outcomes).toEqual([
      { kind: 'created' },
      { kind: 'created', eventWritten: true },
      { kind: 'created' },
    ]);
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([
      submissions[1]?.event.id,
    ]);
  });

  it('writes one event for 50 concurrent submissions with the same idempotency key', async () => {
    const tenant = freshTenant();
    const claim = { keyHash: 'k', fingerprint: 'f', ttlMs: 60_000 };
    await Promise.all(
      Array.from({ length: 50 }, () => {
        const job = queuedJob({ tenant, request: { webhook } });
        return store.records.submit({ job, claim, event: eventFor(job), maxOpenJobs: 99 });
      }),
    );
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 99 })).toHaveLength(1);
  });
});

describe('the event of an update', () => {
  /** Starts a job. Every try of the update captures its event. */
  const resumeCall = (job: ImageJob, captured: string[], known?: ImageJob) =>
    store.records.update(
      job,
      (now) => {
        if (now.status !== 'queued') return null;
        const next = beginRun(now, createdAt + 1);
        return { job: next, event: eventFor(next) };
      },
      { known, onEvent: ({ id }) => captured.push(id) },
    );

  it('writes the event of an update exactly once among many writers, and one writer gets its id', async () => {
    const { job, tenant, id: queued } = await submit();
    const captured: string[] = [];
    const after = await Promise.all(
      Array.from({ length: 20 }, (_, i) => resumeCall(job, captured, i % 2 === 0 ? job : undefined)),
    );
    expect(new Set(after.map((each) => each?.version))).toEqual(new Set([2]));
    expect(captured).toHaveLength(1);
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([
      queued,
      ...captured,
    ]);
    expect(await store.events.undispatched(tenant, captured[0] ?? '')).toMatchObject({
      type: 'image.started',
      at: createdAt + 1,
      job: after[0],
    });
    expect((await store.events.undispatched(tenant, queued))?.job).toEqual(job);
  });

  it('writes neither an event nor a key if no webhook subscribes to the event', async () => {
    const tenant = freshTenant();
    const job = queuedJob({ tenant });
    const captured: string[] = [];
    await store.records.submit({ job, event: eventFor(job), maxOpenJobs: 9 });
    const before = await store.keysKeptOf(tenant);
    await resumeCall(job, captured);
    expect(captured).toEqual([]);
    expect((await store.keysKeptOf(tenant)).sort()).toEqual(
      before.map((key) => key.replace('status:queued', 'status:running')).sort(),
    );
  });

  it('writes the event for an endpoint that subscribed after the job was read', async () => {
    const tenant = freshTenant();
    const job = queuedJob({ tenant });
    await store.records.submit({ job, event: eventFor(job), maxOpenJobs: 9 });
    await store.endpoints.create(endpointOf({ tenant, events: ['image.started'] }), 9);
    const captured: string[] = [];
    await resumeCall(job, captured, job);
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual(captured);
    expect(captured).toHaveLength(1);
  });
});

describe('an event of a job without a webhook', () => {
  it.each<[EventPattern[], boolean]>([
    [['*'], true],
    [['image.*'], true],
    [['image.queued'], true],
    [['image.failed', 'image.queued'], true],
    [['image.failed', 'image.started'], false],
  ])('writes the event if an endpoint subscribed to %j: %s', async (patterns, written) => {
    const tenant = freshTenant();
    await store.endpoints.create(endpointOf({ tenant, events: patterns }), 9);
    expect(await isClassified(tenant)).toBe(written);
    expect(await isClassified(freshTenant())).toBe(false);
  });

  it('writes no event after the endpoint was removed or its owner disabled it', async () => {
    const tenant = freshTenant();
    const [kept, removed] = [endpointOf({ tenant }), endpointOf({ tenant })];
    for (const endpoint of [kept, removed]) await store.endpoints.create(endpoint, 9);
    await store.endpoints.remove(tenant, removed.id);
    expect(await isClassified(tenant)).toBe(true);
    await store.endpoints.update(tenant, kept.id, (now) => disable(now, 'requested', { nowMs: createdAt }));
    expect(await isClassified(tenant)).toBe(false);
  });

  it.each(['gone', 'failing'] as const)(
    'writes the event for an endpoint that is %s, so that the delivery can be recovered',
    async (reason) => {
      const tenant = freshTenant();
      const endpoint = endpointOf({ tenant });
      await store.endpoints.create(endpoint, 9);
      await store.endpoints.update(tenant, endpoint.id, (now) => disable(now, reason, { nowMs: createdAt }));
      expect(await isClassified(tenant)).toBe(true);
    },
  );
});

describe('dispatch', () => {
  it('writes the deliveries of a dispatched event into their delivery queues', async () => {
    const { tenant, id, job } = await submit();
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
    const { tenant, id } = await submit();
    const destinationKeys = Array.from({ length: 1_000 }, (_, i) => `whk_${i}`);
    const deliveries = destinationKeys.map((destinationKey) =>
      deliveryOf({ tenant, eventId: id, destinationKey }),
    );
    const dispatchTasks = await store.events.dispatch({ tenant, id }, { deliveries, ...dispatchInput });
    expect(dispatchTasks.map(({ destinationKey }) => destinationKey)).toEqual(destinationKeys);
    expect(await store.deliveryQueues.countPending(tenant)).toBe(1_000);
  });

  it('changes nothing if an event is dispatched again', async () => {
    const { tenant, id } = await submit();
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
    const { tenant, id } = await submit();
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
    const { tenant, id } = await submit();
    await store.events.dispatch(
      { tenant, id },
      { deliveries: [deliveryOf({ tenant, eventId: id })], ...dispatchInput },
    );
    const life = await store.redis.pttl(store.keys.event(tenant, id));
    expect(life).toBeGreaterThan(0);
    expect(life).toBeLessThanOrEqual(dispatchInput.keepMs);
  });

  it('writes no delivery after the event was erased', async () => {
    const { tenant, id, job } = await submit();
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
    const { tenant, id } = await submit();
    for (let i = 0; i < 2; i++) await store.events.remove(tenant, [id, 'evt_never']);
    expect(await store.events.undispatched(tenant, id)).toBeNull();
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([]);
  });

  it('hides the events of one tenant from every other tenant', async () => {
    const { tenant, id } = await submit();
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
