import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginRun } from '../../src/domain/job-moves.ts';
import { disable } from '../../src/domain/webhook-endpoint.ts';
import { type EventPattern, eventFor } from '../../src/domain/webhook-event.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';
import { freshTenant } from '../support/store.ts';
import { submitWithWebhook, webhook } from '../support/submitted-events.ts';
import { connectWebhookStore, endpointOf, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

const soon = createdAt + 60_000;

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
    const { job, tenant, id, outcome } = await submitWithWebhook(store);
    expect(outcome).toEqual({ kind: 'created', eventWritten: true });
    expect(await store.events.undispatched(tenant, id)).toEqual({
      ...{ id, tenant, type: 'image.queued', at: createdAt, job },
    });
    expect(await store.events.listUndispatched(tenant, { beforeMs: soon, limit: 10 })).toEqual([id]);
  });

  it('writes no event if the submission is refused', async () => {
    const { tenant, id: first } = await submitWithWebhook(store);
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
    const { job, tenant, id: queued } = await submitWithWebhook(store);
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
    await store.endpoints.create(endpointOf({ tenant, events: ['image.started'] }), { max: 9 });
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
    await store.endpoints.create(endpointOf({ tenant, events: patterns }), { max: 9 });
    expect(await isClassified(tenant)).toBe(written);
    expect(await isClassified(freshTenant())).toBe(false);
  });

  it('writes no event after every endpoint was removed', async () => {
    const tenant = freshTenant();
    const [kept, removed] = [endpointOf({ tenant }), endpointOf({ tenant })];
    for (const endpoint of [kept, removed]) await store.endpoints.create(endpoint, { max: 9 });
    await store.endpoints.remove(tenant, removed.id);
    expect(await isClassified(tenant)).toBe(true);
    await store.endpoints.remove(tenant, kept.id);
    expect(await isClassified(tenant)).toBe(false);
  });

  it.each(['gone', 'failing', 'requested'] as const)(
    'writes the event for an endpoint that is disabled (%s), so that the delivery can be recovered',
    async (reason) => {
      const tenant = freshTenant();
      const endpoint = endpointOf({ tenant });
      await store.endpoints.create(endpoint, { max: 9 });
      await store.endpoints.update({ tenant, id: endpoint.id }, (now) =>
        disable(now, reason, { nowMs: createdAt }),
      );
      expect(await isClassified(tenant)).toBe(true);
    },
  );
});
