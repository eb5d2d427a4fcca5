import { beforeAll, describe, expect, it } from 'vitest';
import type { DeliveryQuery } from '../../src/domain/ports.ts';
import { type Delivery, failDelivery } from '../../src/domain/webhook-delivery.ts';
import { createdAt } from '../support/jobs.ts';
import { arrivesAt, failsAt, idsDue, idsOf, posted } from '../support/posted-deliveries.ts';
import { freshTenant } from '../support/store.ts';
import { attemptOf, connectWebhookStore, deliveryOf, post, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

describe('the list of deliveries', () => {
  const all = (tenant: string) => {
    const outcomes = [
      (now: Delivery) => now,
      arrivesAt(createdAt),
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
    await store.deliveries.update(oldest, arrivesAt(createdAt));
    const query = { destinationKey, status: 'delivered' as const, limit: 10 };
    const first = await store.deliveries.list(tenant, query);
    expect(first.deliveries).toEqual([]);
    expect(first.nextBeforeId).not.toBeNull();
    expect(await walk(tenant, query)).toEqual([oldest.id]);
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
      await posted(store, { tenant }),
      await posted(store, { tenant }),
      await posted(store, { tenant }),
    ];
    await store.deliveries.update(old, arrivesAt(createdAt + 10));
    await store.deliveries.update(young, failsAt(createdAt + 10));
    await store.deliveries.update(young, (now) => failDelivery(now, 'x', createdAt + 11));
    expect(await store.deliveries.purge(tenant, createdAt + 10)).toBe(1);
    expect((await idsOf(store, tenant, {})).sort()).toEqual([young.id, pending.id].sort());
    expect(await store.deliveries.purge(tenant, createdAt + 10)).toBe(0);
  });

  it('leaves no key of purged deliveries behind, except keys that expire', async () => {
    const tenant = freshTenant();
    // Events of budgets have no job.
    const jobOf = (i: number) => (i % 10 === 9 ? undefined : `img_${i % 9}`);
    const made = await Promise.all(
      Array.from({ length: 250 }, (_, i) => posted(store, { tenant, jobId: jobOf(i) })),
    );
    // An earlier release left such an index.
    await store.redis.zadd(store.keys.deliveriesBy(tenant, '-'), 0, 'dlv_purged_long_ago');
    await Promise.all(made.map((each) => store.deliveries.update(each, arrivesAt(createdAt), attemptOf())));
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
      failsAt(createdAt),
      arrivesAt(createdAt),
      (now: Delivery) => failDelivery(now, 'x', createdAt),
    ];
    for (const move of moves)
      await store.deliveries.update(await posted(store, { tenant, jobId }), move, attemptOf());
    await store.deliveries.removeOf(tenant, jobId);
    await store.deliveries.removeOf(tenant, jobId);
    await visit(deliveryOf({ tenant }));
    expect(await store.keysKeptOf(tenant)).toEqual([]);
    expect(await store.deliveries.purge(tenant, Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('removes the deliveries of one job and leaves those of other jobs', async () => {
    const tenant = freshTenant();
    const [gone, other] = [
      await posted(store, { tenant, jobId: 'img_1' }),
      await posted(store, { tenant, jobId: 'img_2' }),
    ];
    await store.deliveries.removeOf(tenant, 'img_1');
    expect(await idsOf(store, tenant, {})).toEqual([other.id]);
    expect(await idsDue(store, gone, createdAt)).toEqual([other.id]);
  });
});
