import { beforeAll, describe, expect, it } from 'vitest';
import { imageEventTypes } from '../../src/domain/image-request.ts';
import { disable, updateEndpoint, type WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts';
import { createdAt } from '../support/jobs.ts';
import { freshTenant } from '../support/store.ts';
import { connectWebhookStore, endpointOf, type WebhookStore } from '../support/webhooks.ts';

let store: WebhookStore;
beforeAll(async () => {
  store = await connectWebhookStore();
});

async function created(fields: Partial<WebhookEndpoint> = {}): Promise<WebhookEndpoint> {
  const endpoint = endpointOf({ tenant: freshTenant(), ...fields });
  expect(await store.endpoints.create(endpoint, { max: 1_000 })).toEqual({ kind: 'created' });
  return endpoint;
}

/** Returns the event types that are stored as subscriptions of an endpoint. */
async function typesOf({ tenant, id }: WebhookEndpoint): Promise<string[]> {
  const lists = await Promise.all(
    imageEventTypes.map(async (type) => {
      const subscribed = await store.endpoints.subscribed(tenant, type);
      expect(new Set(subscribed.map((each) => each.id)).size).toBe(subscribed.length);
      return subscribed.some((each) => each.id === id) ? [type] : [];
    }),
  );
  return lists.flat();
}

describe('creating an endpoint', () => {
  it('returns a created endpoint unchanged', async () => {
    const endpoint = await created({ events: ['image.failed'], metadata: { team: 'Zürich' } });
    expect(await store.endpoints.get(endpoint.tenant, endpoint.id)).toEqual(endpoint);
  });

  it('never creates more endpoints than the limit, even by concurrent calls', async () => {
    const tenant = freshTenant();
    const results = await Promise.all(
      Array.from({ length: 50 }, () => store.endpoints.create(endpointOf({ tenant }), { max: 7 })),
    );
    expect(results.filter(({ kind }) => kind === 'created')).toHaveLength(7);
    const { endpoints } = await store.endpoints.list(tenant, { limit: 99 });
    expect(endpoints).toHaveLength(7);
    expect(await store.endpoints.subscribed(tenant, 'image.queued')).toHaveLength(7);
    expect((await store.keysKeptOf(tenant)).filter((key) => key.startsWith('whk:'))).toHaveLength(7);
  });

  it('creates one endpoint for concurrent requests with one idempotency key, and names it to the others', async () => {
    const tenant = freshTenant();
    const claim = { keyHash: 'once', fingerprint: 'same', ttlMs: 60_000 };
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        store.endpoints.create(endpointOf({ tenant }), { max: 7, claim }).then(({ kind, ...rest }) => ({
          kind,
          id: 'endpoint' in rest ? rest.endpoint.id : undefined,
        })),
      ),
    );
    const { endpoints } = await store.endpoints.list(tenant, { limit: 99 });
    expect(endpoints).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'created')).toHaveLength(1);
    const others = outcomes.filter(({ kind }) => kind !== 'created');
    expect(new Set(others.map(({ kind }) => kind))).toEqual(new Set(['replayed']));
    expect(new Set(others.map(({ id }) => id))).toEqual(new Set([endpoints[0]?.id]));
    const ofOtherBody = { ...claim, fingerprint: 'other' };
    const refused = await store.endpoints.create(endpointOf({ tenant }), { max: 7, claim: ofOtherBody });
    expect(refused).toEqual({ kind: 'key_reused' });
    const elsewhere = endpointOf({ tenant: freshTenant() });
    expect(await store.endpoints.create(elsewhere, { max: 7, claim })).toEqual({ kind: 'created' });
  });

  it('does not register a removed endpoint again for its idempotency key, and claims no key if the limit is reached', async () => {
    const tenant = freshTenant();
    const claim = { keyHash: 'once', fingerprint: 'same', ttlMs: 60_000 };
    const create = (max: number) => store.endpoints.create(endpointOf({ tenant }), { max, claim });
    expect(await create(0)).toEqual({ kind: 'full' });
    expect(await create(1)).toEqual({ kind: 'created' });
    const { endpoints } = await store.endpoints.list(tenant, { limit: 9 });
    for (const { id } of endpoints) await store.endpoints.remove(tenant, id);
    expect(await create(1)).toEqual({ kind: 'removed' });
  });

  it('allows a new endpoint after one was removed', async () => {
    const { tenant, id } = await created();
    expect(await store.endpoints.create(endpointOf({ tenant }), { max: 1 })).toEqual({ kind: 'full' });
    expect(await store.endpoints.remove(tenant, id)).toBe(true);
    expect(await store.endpoints.create(endpointOf({ tenant }), { max: 1 })).toEqual({ kind: 'created' });
  });
});

describe('updating an endpoint', () => {
  it('loses no change of 50 concurrent updates of an endpoint', async () => {
    const { tenant, id } = await created();
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        store.endpoints.update({ tenant, id }, (now) => ({
          ...now,
          metadata: { ...now.metadata, [`writer ${i}`]: 'was here' },
        })),
      ),
    );
    const after = await store.endpoints.get(tenant, id);
    expect(Object.keys(after?.metadata ?? {})).toHaveLength(50);
    expect(after?.version).toBe(51);
  });

  it('writes nothing if the update of an endpoint decides against a change or throws', async () => {
    const endpoint = await created();
    const { tenant, id } = endpoint;
    expect(await store.endpoints.update({ tenant, id }, () => null)).toEqual(endpoint);
    const refusal = new Error('refused');
    const refused = store.endpoints.update({ tenant, id }, () => {
      throw refusal;
    });
    await expect(refused).rejects.toThrow();
    expect(await store.endpoints.get(tenant, id)).toEqual(endpoint);
  });

  it('updates an endpoint even if its tenant now exceeds the limit', async () => {
    const first = await created();
    await created({ tenant: first.tenant });
    expect(await store.endpoints.create(endpointOf({ tenant: first.tenant }), { max: 1 })).toEqual({
      kind: 'full',
    });
    const changed = await store.endpoints.update(first, (now) => ({
      ...now,
      description: 'x',
    }));
    expect(changed).toMatchObject({ description: 'x', version: 2 });
  });

  it('does not restore an endpoint that was removed during the update', async () => {
    const { tenant, id } = await created();
    const after = await Promise.all([
      store.endpoints.remove(tenant, id),
      ...Array.from({ length: 20 }, (_, i) =>
        store.endpoints.update({ tenant, id }, (now) => ({ ...now, description: `${i}` })),
      ),
    ]);
    expect(after[0]).toBe(true);
    expect(await store.endpoints.get(tenant, id)).toBeNull();
    expect(await store.keysKeptOf(tenant)).toEqual([]);
  });
});

describe('the subscriptions of an endpoint', () => {
  it.each<[WebhookEndpoint['events'], readonly string[]]>([
    [['*'], imageEventTypes],
    [['image.*'], imageEventTypes],
    [['image.*', 'image.failed'], imageEventTypes],
    [
      ['image.failed', 'image.queued'],
      ['image.queued', 'image.failed'],
    ],
  ])('subscribes an endpoint to the requested event types: %j', async (events, types) => {
    expect(await typesOf(await created({ events }))).toEqual(types);
  });

  it('updates the subscriptions with every update of the endpoint', async () => {
    const endpoint = await created({ events: ['*'] });
    const { tenant, id } = endpoint;
    for (const events of [['image.queued'], ['image.failed', 'image.expired'], ['image.*']] as const) {
      await store.endpoints.update({ tenant, id }, (now) =>
        updateEndpoint(now, { events: [...events] }, createdAt),
      );
      const [only] = events;
      expect(await typesOf(endpoint)).toEqual(only === 'image.*' ? imageEventTypes : events);
    }
  });

  it.each(['gone', 'failing', 'requested'] as const)(
    'retains the subscriptions of a disabled endpoint, so that its events can be recovered: %s',
    async (reason) => {
      const endpoint = await created();
      const { tenant, id } = endpoint;
      await store.endpoints.update({ tenant, id }, (now) => disable(now, reason, { nowMs: createdAt }));
      expect(await typesOf(endpoint)).toEqual(imageEventTypes);
      for (const disabled of [true, false]) {
        await store.endpoints.update({ tenant, id }, (now) => updateEndpoint(now, { disabled }, createdAt));
        expect(await typesOf(endpoint)).toEqual(imageEventTypes);
      }
    },
  );

  it('lists only the endpoints that subscribed to an event type', async () => {
    const tenant = freshTenant();
    const subscribed = await created({ tenant, events: ['image.failed'] });
    for (let i = 0; i < 20; i++) await created({ tenant, events: ['image.queued'] });
    expect(await store.endpoints.subscribed(tenant, 'image.failed')).toEqual([subscribed]);
    expect(await store.endpoints.subscribed(tenant, 'image.expired')).toEqual([]);
  });
});

describe('the list of endpoints', () => {
  it('lists every endpoint once, newest first, with any page size', async () => {
    const tenant = freshTenant();
    const made: string[] = [];
    for (let i = 0; i < 25; i++) made.unshift((await created({ tenant, createdAt: createdAt + i })).id);
    for (const limit of [1, 7, 24, 25, 26]) {
      const found: string[] = [];
      for (let beforeId: string | undefined; ; ) {
        const page = await store.endpoints.list(tenant, { limit, beforeId });
        expect(page.endpoints.length).toBeLessThanOrEqual(limit);
        found.push(...page.endpoints.map(({ id }) => id));
        if (page.nextBeforeId === null) break;
        beforeId = page.nextBeforeId;
      }
      expect(found, `in pages of ${limit}`).toEqual(made);
    }
  });
});

describe('removing an endpoint', () => {
  it('leaves no key of a removed endpoint behind and returns whether the endpoint existed', async () => {
    const { tenant, id } = await created({ events: ['*', 'image.*', 'image.failed'] });
    expect(await store.endpoints.remove(tenant, id)).toBe(true);
    expect(await store.endpoints.remove(tenant, id)).toBe(false);
    expect(await store.keysKeptOf(tenant)).toEqual([]);
  });
});

describe('another tenant', () => {
  it('hides an endpoint from reads, updates, removals and events of another tenant', async () => {
    const endpoint = await created();
    const other = freshTenant();
    expect(await store.endpoints.get(other, endpoint.id)).toBeNull();
    expect(
      await store.endpoints.update({ tenant: other, id: endpoint.id }, (now) => ({ ...now, url: 'x' })),
    ).toBeNull();
    expect(await store.endpoints.remove(other, endpoint.id)).toBe(false);
    expect(await store.endpoints.list(other, { limit: 9 })).toEqual({ endpoints: [], nextBeforeId: null });
    expect(await store.endpoints.subscribed(other, 'image.queued')).toEqual([]);
    expect(await store.endpoints.get(endpoint.tenant, endpoint.id)).toEqual(endpoint);
  });
});
