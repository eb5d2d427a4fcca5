import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { beginExecution } from '../../src/domain/job-moves.ts';
import { disable } from '../../src/domain/webhook-endpoint.ts';
import { type EventPattern, noteFor } from '../../src/domain/webhook-event.ts';
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
const announcement = { nowMs: createdAt, keepMs: 60_000 };

/** Submits a job that tells its own webhook everything. */
async function submit(tenant = freshTenant()) {
  const job = queuedJob({ tenant, request: { webhook } });
  const event = noteFor(job);
  const outcome = await store.records.submit({ job, event, maxOpenJobs: 9 });
  return { job, tenant, event, id: event.id, outcome };
}

/** Submits a job that has no webhook of its own, and says whether its event was written. */
async function isTold(tenant: string): Promise<boolean> {
  const job = queuedJob({ tenant });
  const event = noteFor(job);
  const outcome = await store.records.submit({ job, event, maxOpenJobs: 9 });
  const told = (await store.events.pending(tenant, event.id)) !== null;
  expect(outcome).toEqual({ kind: 'created', ...(told ? { told: true } : {}) });
  return told;
}

describe('the event of a submission', () => {
  it('is written in the same step, with the job as it was then', async () => {
    const { job, tenant, id, outcome } = await submit();
    expect(outcome).toEqual({ kind: 'created', told: true });
    expect(await store.events.pending(tenant, id)).toEqual({
      ...{ id, tenant, type: 'image.queued', at: createdAt, job },
    });
    expect(await store.events.waiting(tenant, soon, 10)).toEqual([id]);
  });

  it('is not written when the submission is refused', async () => {
    const { tenant, id: first } = await submit();
    const job = queuedJob({ tenant, request: { webhook } });
    const event = noteFor(job);
    expect(await store.records.submit({ job, event, maxOpenJobs: 1 })).toEqual({ kind: 'queue_full' });
    expect(await store.events.pending(tenant, event.id)).toBeNull();
    expect(await store.events.waiting(tenant, soon, 10)).toEqual([first]);
  });

  it('is written for those of several at once whose own webhook wants it, and for no other', async () => {
    const tenant = freshTenant();
    const jobs = [{}, { webhook }, {}].map((request) => queuedJob({ tenant, request }));
    const orders = jobs.map((job) => ({ job, event: noteFor(job), maxOpenJobs: 9 }));
    const outcomes = await Promise.all(orders.map((order) => store.records.submit(order)));
    expect(outcomes).toEqual([{ kind: 'created' }, { kind: 'created', told: true }, { kind: 'created' }]);
    expect(await store.events.waiting(tenant, soon, 10)).toEqual([orders[1]?.event.id]);
  });

  it('of 50 equal claims at once is one', async () => {
    const tenant = freshTenant();
    const claim = { keyHash: 'k', fingerprint: 'f', ttlMs: 60_000 };
    await Promise.all(
      Array.from({ length: 50 }, () => {
        const job = queuedJob({ tenant, request: { webhook } });
        return store.records.submit({ job, claim, event: noteFor(job), maxOpenJobs: 99 });
      }),
    );
    expect(await store.events.waiting(tenant, soon, 99)).toHaveLength(1);
  });
});

describe('the event of a change', () => {
  /** Takes a job up; every call notes its event. */
  const takeUp = (job: ImageJob, heard: string[], known?: ImageJob) =>
    store.records.update(
      job.tenant,
      job.id,
      (now) => {
        if (now.status !== 'queued') return null;
        const next = beginExecution(now, createdAt + 1);
        return { job: next, event: noteFor(next) };
      },
      known,
      ({ id }) => heard.push(id),
    );

  it('is written with it exactly once among many writers, and one of them hears of it', async () => {
    const { job, tenant, id: queued } = await submit();
    const heard: string[] = [];
    const after = await Promise.all(
      Array.from({ length: 20 }, (_, i) => takeUp(job, heard, i % 2 === 0 ? job : undefined)),
    );
    expect(new Set(after.map((each) => each?.version))).toEqual(new Set([2]));
    expect(heard).toHaveLength(1);
    expect(await store.events.waiting(tenant, soon, 10)).toEqual([queued, ...heard]);
    expect(await store.events.pending(tenant, heard[0] ?? '')).toMatchObject({
      type: 'image.started',
      at: createdAt + 1,
      job: after[0],
    });
    expect((await store.events.pending(tenant, queued))?.job).toEqual(job);
  });

  it('that nobody asked to hear of is not written, and costs no key', async () => {
    const tenant = freshTenant();
    const job = queuedJob({ tenant });
    const heard: string[] = [];
    await store.records.submit({ job, event: noteFor(job), maxOpenJobs: 9 });
    const before = await store.keysKeptOf(tenant);
    await takeUp(job, heard);
    expect(heard).toEqual([]);
    expect((await store.keysKeptOf(tenant)).sort()).toEqual(
      before.map((key) => key.replace('status:queued', 'status:running')).sort(),
    );
  });

  it('is written for an endpoint that subscribed after the job was read', async () => {
    const tenant = freshTenant();
    const job = queuedJob({ tenant });
    await store.records.submit({ job, event: noteFor(job), maxOpenJobs: 9 });
    await store.endpoints.create(endpointOf({ tenant, events: ['image.started'] }), 9);
    const heard: string[] = [];
    await takeUp(job, heard, job);
    expect(await store.events.waiting(tenant, soon, 10)).toEqual(heard);
    expect(heard).toHaveLength(1);
  });
});

describe('an event without a webhook of the job', () => {
  it.each<[EventPattern[], boolean]>([
    [['*'], true],
    [['image.*'], true],
    [['image.queued'], true],
    [['image.failed', 'image.queued'], true],
    [['image.failed', 'image.started'], false],
  ])('is written where an endpoint subscribed to %j: %s', async (patterns, written) => {
    const tenant = freshTenant();
    await store.endpoints.create(endpointOf({ tenant, events: patterns }), 9);
    expect(await isTold(tenant)).toBe(written);
    expect(await isTold(freshTenant())).toBe(false);
  });

  it('is not written any more once the endpoint is gone or switched off by its owner', async () => {
    const tenant = freshTenant();
    const [kept, removed] = [endpointOf({ tenant }), endpointOf({ tenant })];
    for (const endpoint of [kept, removed]) await store.endpoints.create(endpoint, 9);
    await store.endpoints.remove(tenant, removed.id);
    expect(await isTold(tenant)).toBe(true);
    await store.endpoints.update(tenant, kept.id, (now) => disable(now, 'requested', createdAt));
    expect(await isTold(tenant)).toBe(false);
  });

  it.each(['gone', 'failing'] as const)(
    'is written for an endpoint that is %s, so that it can be recovered',
    async (reason) => {
      const tenant = freshTenant();
      const endpoint = endpointOf({ tenant });
      await store.endpoints.create(endpoint, 9);
      await store.endpoints.update(tenant, endpoint.id, (now) => disable(now, reason, createdAt));
      expect(await isTold(tenant)).toBe(true);
    },
  );
});

describe('announcing', () => {
  it('fixes the bytes and writes the deliveries, which wait in their mailboxes', async () => {
    const { tenant, id, job } = await submit();
    const receivers = ['whk_1', 'host_1'];
    const deliveries = receivers.map((target) => deliveryOf({ tenant, eventId: id, target, jobId: job.id }));
    const wakes = await store.events.announce({ tenant, id }, '{"a":1}', deliveries, announcement);
    expect(wakes.map(({ target }) => target)).toEqual(receivers);
    expect(await store.events.body(tenant, id)).toBe('{"a":1}');
    expect(await store.events.pending(tenant, id)).toBeNull();
    expect(await store.events.waiting(tenant, soon, 10)).toEqual([]);
    for (const [i, target] of receivers.entries()) {
      expect(await store.mailboxes.due(tenant, target, { nowMs: createdAt, limit: 9 })).toEqual([
        { delivery: deliveries[i], body: '{"a":1}' },
      ]);
    }
    expect(await store.mailboxes.countPending(tenant)).toBe(2);
  });

  it('reaches as many endpoints as a tenant may have', async () => {
    const { tenant, id } = await submit();
    const targets = Array.from({ length: 1_000 }, (_, i) => `whk_${i}`);
    const deliveries = targets.map((target) => deliveryOf({ tenant, eventId: id, target }));
    const wakes = await store.events.announce({ tenant, id }, '{}', deliveries, announcement);
    expect(wakes.map(({ target }) => target)).toEqual(targets);
    expect(await store.mailboxes.countPending(tenant)).toBe(1_000);
  });

  it('again changes nothing: neither bytes nor deliveries', async () => {
    const { tenant, id } = await submit();
    const [first, second] = ['whk_1', 'whk_2'].map((target) => deliveryOf({ tenant, eventId: id, target }));
    if (!first || !second) throw new Error('two were made');
    await store.events.announce({ tenant, id }, '{"a":1}', [first], announcement);
    await store.deliveries.update(first, (now) => ({ ...now, attempts: 1 }));
    expect(await store.events.announce({ tenant, id }, '{"a":2}', [first, second], announcement)).toEqual([]);
    expect(await store.events.body(tenant, id)).toBe('{"a":1}');
    expect(await store.deliveries.get(tenant, second.id)).toBeNull();
    expect(await store.deliveries.get(tenant, first.id)).toMatchObject({ attempts: 1 });
  });

  it('by twenty at once is done by one, wholly', async () => {
    const { tenant, id } = await submit();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const deliveries = [1, 2, 3].map((n) => deliveryOf({ tenant, eventId: id, target: `whk_${i}_${n}` }));
        return store.events.announce({ tenant, id }, `{"by":${i}}`, deliveries, announcement);
      }),
    );
    const [winner, ...others] = results.filter((wakes) => wakes.length > 0);
    expect(others).toEqual([]);
    const { by } = JSON.parse((await store.events.body(tenant, id)) ?? '{}');
    const { deliveries } = await store.deliveries.list(tenant, { limit: 99 });
    const targets = deliveries.map(({ target }) => target).sort();
    expect(targets).toEqual([1, 2, 3].map((n) => `whk_${by}_${n}`));
    expect(winner?.map(({ target }) => target)).toEqual(targets);
  });

  it('keeps the bytes for as long as told', async () => {
    const { tenant, id } = await submit();
    await store.events.announce({ tenant, id }, '{}', [deliveryOf({ tenant, eventId: id })], announcement);
    const life = await store.redis.pttl(store.keys.event(tenant, id));
    expect(life).toBeGreaterThan(0);
    expect(life).toBeLessThanOrEqual(announcement.keepMs);
  });

  it('after the event was erased writes nothing', async () => {
    const { tenant, id, job } = await submit();
    await store.events.remove(tenant, [id]);
    const deliveries = [deliveryOf({ tenant, eventId: id, jobId: job.id })];
    expect(await store.events.announce({ tenant, id }, '{}', deliveries, announcement)).toEqual([]);
    await store.records.remove(job);
    expect(await store.keysKeptOf(tenant)).toEqual([]);
  });
});

describe('events that wait', () => {
  it('are those from before a moment, the oldest first, as many as asked for', async () => {
    const tenant = freshTenant();
    const told: string[] = [];
    for (const at of [30, 10, 20]) {
      const job = queuedJob({ tenant, nowMs: createdAt + at, request: { webhook } });
      const event = noteFor(job);
      await store.records.submit({ job, event, maxOpenJobs: 9 });
      told[at] = event.id;
    }
    const waiting = (before: number, limit: number) =>
      store.events.waiting(tenant, createdAt + before, limit);
    expect(await waiting(99, 9)).toEqual([told[10], told[20], told[30]]);
    expect(await waiting(99, 2)).toEqual([told[10], told[20]]);
    expect(await waiting(20, 9)).toEqual([told[10]]);
  });

  it('can be forgotten, twice, and before they were ever written', async () => {
    const { tenant, id } = await submit();
    for (let i = 0; i < 2; i++) await store.events.remove(tenant, [id, 'evt_never']);
    expect(await store.events.pending(tenant, id)).toBeNull();
    expect(await store.events.waiting(tenant, soon, 10)).toEqual([]);
  });

  it('belong to their tenant alone', async () => {
    const { tenant, id } = await submit();
    const other = freshTenant();
    expect(await store.events.pending(other, id)).toBeNull();
    expect(await store.events.waiting(other, soon, 10)).toEqual([]);
    await store.events.remove(other, [id]);
    const deliveries = [deliveryOf({ tenant: other, eventId: id })];
    expect(await store.events.announce({ tenant: other, id }, '{}', deliveries, announcement)).toEqual([]);
    expect(await store.events.pending(tenant, id)).not.toBeNull();
    await store.events.announce({ tenant, id }, '{}', [deliveryOf({ tenant, eventId: id })], announcement);
    expect(await store.events.body(other, id)).toBeNull();
  });
});
