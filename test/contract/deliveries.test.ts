import { beforeAll, describe, expect, it } from 'vitest';
import type { DeliveryQuery } from '../../src/domain/ports.ts';
import {
  afterAttempt,
  type Delivery,
  failDelivery,
  restartSchedule,
} from '../../src/domain/webhook-delivery.ts';
import { createdAt } from '../support/jobs.ts';
import { attemptOf, connectWebhookStore, deliveryOf, post, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

let tenants = 0;
const freshTenant = () => `t${++tenants}`;

/** Creates a pending delivery in its delivery queue. */
async function posted(fields: Partial<Delivery> = {}): Promise<Delivery> {
  const delivery = deliveryOf({ tenant: freshTenant(), ...fields });
  await post(store, delivery);
  return delivery;
}

const fails = (nowMs: number) => (now: Delivery) =>
  afterAttempt(now, { url: now.url, outcome: 'http_500' }, { nowMs, random: 0, schedule: [0, 5, 300] });
const arrives = (nowMs: number) => (now: Delivery) =>
  afterAttempt(now, { url: now.url, outcome: 'delivered' }, { nowMs, random: 0, schedule: [0, 5, 300] });
const idsDue = async ({ tenant, destinationKey }: Delivery, nowMs: number) =>
  (await store.deliveryQueues.due(tenant, destinationKey, { nowMs, limit: 99 })).map(
    ({ delivery }) => delivery.id,
  );
const idsOf = async (tenant: string, query: Omit<DeliveryQuery, 'limit'>) =>
  (await store.deliveries.list(tenant, { limit: 99, ...query })).deliveries.map(({ id }) => id);

describe('updating a delivery', () => {
  it('loses no change and no attempt of 50 concurrent updates of a delivery', async () => {
    const delivery = await posted();
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
    const delivery = await posted();
    const known = { ...delivery, version: 0 };
    expect(
      await store.deliveries.update(known, (now) => (now.version === 0 ? now : null), attemptOf()),
    ).toEqual(delivery);
    expect(await store.deliveries.attempts(delivery.tenant, [delivery.id])).toEqual([[]]);
  });

  it('moves a delivery in its queue to its next due time', async () => {
    const delivery = await posted();
    await store.deliveries.update(delivery, fails(createdAt));
    expect(await idsDue(delivery, createdAt + 4_999)).toEqual([]);
    expect(await idsDue(delivery, createdAt + 5_000)).toEqual([delivery.id]);
  });

  it('removes a finished delivery from its queue and returns it to the queue when it is sent again', async () => {
    const delivery = await posted();
    const { tenant, id } = delivery;
    await store.deliveries.update(delivery, arrives(createdAt + 1));
    expect(await idsDue(delivery, Number.MAX_SAFE_INTEGER)).toEqual([]);
    expect(await store.deliveryQueues.countPending(tenant)).toBe(0);
    expect(await idsOf(tenant, { status: 'pending' })).toEqual([]);
    expect(await idsOf(tenant, { status: 'delivered' })).toEqual([id]);
    await store.deliveries.update(delivery, (now) => restartSchedule(now, createdAt + 9));
    expect(await idsDue(delivery, createdAt + 9)).toEqual([id]);
    expect(await idsOf(tenant, { status: 'pending' })).toEqual([id]);
    expect(await idsOf(tenant, { status: 'delivered' })).toEqual([]);
    expect(await store.deliveries.purge(tenant, Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('does not restore a delivery that was removed during the update', async () => {
    const delivery = await posted({ jobId: 'img_gone' });
    await store.deliveries.removeOf(delivery.tenant, 'img_gone');
    expect(await store.deliveries.update(delivery, fails(createdAt), attemptOf())).toBeNull();
    expect(await store.deliveries.get(delivery.tenant, delivery.id)).toBeNull();
    expect(await idsDue(delivery, Number.MAX_SAFE_INTEGER)).toEqual([]);
    expect(await store.deliveries.attempts(delivery.tenant, [delivery.id])).toEqual([[]]);
  });
});

describe('the attempts of a delivery', () => {
  it('returns the attempts of a delivery in the order in which they were recorded', async () => {
    const delivery = await posted();
    const noted = [
      attemptOf({ no: 1, status: null, outcome: 'timeout', detail: 'The endpoint did not respond.' }),
      attemptOf({ no: 2, at: createdAt + 5_000, response: 'Zürich 夜' }),
    ];
    for (const attempt of noted) await store.deliveries.update(delivery, fails(createdAt), attempt);
    expect(await store.deliveries.attempts(delivery.tenant, [delivery.id, 'dlv_never'])).toEqual([noted, []]);
  });

  it('retains the latest 30 attempts of a delivery', async () => {
    const delivery = await posted();
    for (let i = 1; i <= 35; i++)
      await store.deliveries.update(delivery, (now) => ({ ...now, attempts: i }), attemptOf());
    const [attempts = []] = await store.deliveries.attempts(delivery.tenant, [delivery.id]);
    expect(attempts.map(({ no }) => no)).toEqual(Array.from({ length: 30 }, (_, i) => i + 6));
  });
});

describe('the list of deliveries', () => {
  const all = (tenant: string) => {
    const outcomes = [
      (now: Delivery) => now,
      arrives(createdAt),
      (now: Delivery) => failDelivery(now, 'x', createdAt),
    ];
    return Array.from({ length: 60 }, (_, i) => ({
      given: deliveryOf({
        tenant,
        at: createdAt + i * 1_000,
        jobId: `img_${i % 5}`,
        destinationKey: `whk_${i % 4}`,
      }),
      end: outcomes[i % 3] ?? outcomes[0],
    }));
  };

  /** Lists the delivery ids of all pages of a query. */
  async function walk(tenant: string, query: DeliveryQuery): Promise<string[]> {
    const found: string[] = [];
    for (let beforeId: string | undefined; ; ) {
      const page = await store.deliveries.list(tenant, { ...query, beforeId });
      expect(page.deliveries.length).toBeLessThanOrEqual(query.limit);
      found.push(...page.deliveries.map(({ id }) => id));
      if (page.nextBeforeId === null) return found;
      beforeId = page.nextBeforeId;
    }
  }

  it('lists deliveries by job, destination and status in any combination, newest event first, with any page size', async () => {
    const tenant = freshTenant();
    const made = all(tenant);
    await post(store, ...made.map(({ given }) => given));
    const kept = await Promise.all(
      made.map(({ given, end }) => store.deliveries.update(given, end ?? (() => null))),
    );
    const newestFirst = kept.flatMap((each) => each ?? []).sort((a, b) => b.at - a.at);
    for (const jobId of [undefined, 'img_2', 'img_none'])
      for (const destinationKey of [undefined, 'whk_1'])
        for (const status of [undefined, 'pending', 'delivered', 'failed'] as const)
          for (const limit of [1, 7, 60]) {
            const fits = newestFirst.filter(
              (each) =>
                (jobId ?? each.jobId) === each.jobId &&
                (destinationKey ?? each.destinationKey) === each.destinationKey &&
                (status ?? each.status) === each.status,
            );
            const query = { jobId, destinationKey, status, limit };
            expect(await walk(tenant, query), JSON.stringify(query)).toEqual(fits.map(({ id }) => id));
          }
  });

  it('bounds the work for a page and returns rare matches on a later page', async () => {
    const tenant = freshTenant();
    const destinationKey = 'whk_busy';
    const many = Array.from({ length: 1_300 }, (_, i) =>
      deliveryOf({ tenant, destinationKey, at: createdAt + i }),
    );
    await post(store, ...many);
    const [oldest] = many;
    if (!oldest) throw new Error('many were made');
    await store.deliveries.update(oldest, arrives(createdAt));
    const query = { destinationKey, status: 'delivered' as const, limit: 10 };
    const first = await store.deliveries.list(tenant, query);
    expect(first.deliveries).toEqual([]);
    expect(first.nextBeforeId).not.toBeNull();
    expect(await walk(tenant, query)).toEqual([oldest.id]);
  });
});

describe('a test delivery', () => {
  it('logs a test delivery with its attempt and payload, does not queue it, and purges it like any other', async () => {
    const tenant = freshTenant();
    const { dueAt: _dueAt, jobId: _jobId, ...rest } = deliveryOf({ tenant });
    const delivery: Delivery = { ...rest, type: 'webhook.test', status: 'failed', finishedAt: createdAt };
    const bytes = { body: '{"type":"webhook.test"}', keepMs: 60_000 };
    await store.deliveries.createEnded(delivery, attemptOf(), bytes);
    expect(await store.deliveries.get(tenant, delivery.id)).toEqual(delivery);
    expect(await store.deliveries.attempts(tenant, [delivery.id])).toEqual([[attemptOf()]]);
    expect(await store.events.hasContent(tenant, delivery.eventId)).toBe(true);
    for (const query of [{}, { status: 'failed' as const }, { destinationKey: delivery.destinationKey }])
      expect(await idsOf(tenant, query)).toEqual([delivery.id]);
    expect(await idsDue(delivery, Number.MAX_SAFE_INTEGER)).toEqual([]);
    // Without this entry the sweeper would skip a tenant that has no jobs.
    expect(await store.records.tenants()).toContain(tenant);
    expect(await store.deliveries.purge(tenant, createdAt)).toBe(1);
    expect(await store.keysKeptOf(tenant)).toEqual([]);
  });
});

describe('purging and removing deliveries', () => {
  /** Acquires and releases the lease, like a run without pending deliveries. */
  async function visit({ tenant, destinationKey }: Delivery): Promise<void> {
    const run = { run: 'run', nowMs: createdAt + 9 };
    await store.deliveryQueues.acquireLease(tenant, destinationKey, { ...run, leaseMs: 1_000 });
    await store.deliveryQueues.releaseLease(tenant, destinationKey, run);
  }

  it('purges deliveries that ended before the given time, but no later and no pending ones', async () => {
    const tenant = freshTenant();
    const [old, young, pending] = [
      await posted({ tenant }),
      await posted({ tenant }),
      await posted({ tenant }),
    ];
    await store.deliveries.update(old, arrives(createdAt + 10));
    await store.deliveries.update(young, fails(createdAt + 10));
    await store.deliveries.update(young, (now) => failDelivery(now, 'x', createdAt + 11));
    expect(await store.deliveries.purge(tenant, createdAt + 10)).toBe(1);
    expect((await idsOf(tenant, {})).sort()).toEqual([young.id, pending.id].sort());
    expect(await store.deliveries.purge(tenant, createdAt + 10)).toBe(0);
  });

  it('leaves no key of purged deliveries behind, except keys that expire', async () => {
    const tenant = freshTenant();
    const made = await Promise.all(
      Array.from({ length: 250 }, (_, i) => posted({ tenant, jobId: `img_${i % 9}` })),
    );
    await Promise.all(made.map((each) => store.deliveries.update(each, arrives(createdAt), attemptOf())));
    for (const each of made.slice(0, 1)) await visit(each);
    let forgotten = 0;
    for (let page = -1; page !== 0; forgotten += page) page = await store.deliveries.purge(tenant, createdAt);
    expect(forgotten).toBe(250);
    expect(await store.keysKeptOf(tenant)).toEqual([]);
  });

  it('removes the deliveries of a job in any status and leaves no key of them behind', async () => {
    const tenant = freshTenant();
    const jobId = 'img_gone';
    const moves = [
      fails(createdAt),
      arrives(createdAt),
      (now: Delivery) => failDelivery(now, 'x', createdAt),
    ];
    for (const move of moves)
      await store.deliveries.update(await posted({ tenant, jobId }), move, attemptOf());
    await store.deliveries.removeOf(tenant, jobId);
    await store.deliveries.removeOf(tenant, jobId);
    await visit(deliveryOf({ tenant }));
    expect(await store.keysKeptOf(tenant)).toEqual([]);
    expect(await store.deliveries.purge(tenant, Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('removes the deliveries of one job and leaves those of other jobs', async () => {
    const tenant = freshTenant();
    const [gone, other] = [
      await posted({ tenant, jobId: 'img_1' }),
      await posted({ tenant, jobId: 'img_2' }),
    ];
    await store.deliveries.removeOf(tenant, 'img_1');
    expect(await idsOf(tenant, {})).toEqual([other.id]);
    expect(await idsDue(gone, createdAt)).toEqual([other.id]);
  });
});

describe('another tenant', () => {
  it('hides the delivery of one tenant from reads, updates and purges of another tenant', async () => {
    const delivery = await posted({ jobId: 'img_1' });
    const other = freshTenant();
    expect(await store.deliveries.get(other, delivery.id)).toBeNull();
    expect(await store.deliveries.update({ ...delivery, tenant: other }, arrives(createdAt))).toBeNull();
    expect(await store.deliveries.list(other, { limit: 9 })).toEqual({ deliveries: [], nextBeforeId: null });
    await store.deliveries.removeOf(other, 'img_1');
    expect(await store.deliveries.purge(other, Number.MAX_SAFE_INTEGER)).toBe(0);
    expect(await store.deliveries.get(delivery.tenant, delivery.id)).toEqual(delivery);
  });
});
