import supertest from 'supertest';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { KeyView } from '../../src/domain/key-view.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

describe('POST /keys', () => {
  it('creates a key with every field and shows its text only once', async () => {
    const body = {
      tenant: 'reseller',
      name: 'customer 7',
      scopes: ['images:write'],
      expires_at: '2099-01-01T00:00:00.000Z',
      limits: { requests_per_minute: 60, concurrent_jobs: 2, queued_jobs: 10 },
      budgets: [
        { window: 'day', limit_micro_usd: 1_000_000, soft: false },
        { window: 'month', limit_micro_usd: 9_000_000, soft: true },
      ],
      models: ['gpt-image-2.6-flare'],
      presets_only: true,
      metadata: { customer: '7' },
      disabled: true,
    };
    const response = await keys.operator.post('/keys').send(body).expect(201);
    const { key, ...view } = response.body;
    expect(view).toMatchObject({ ...body, object: 'api_key', last_used_at: null, revoked_at: null });
    expect(response.headers.location).toBe(`/keys/${view.id}`);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(key).toMatch(/^dkr_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    const { spending, ...read } = (await keys.operator.get(`/keys/${view.id}`).expect(200)).body;
    expect(read).toEqual(view);
    expect(spending).toMatchObject([
      { window: 'day', spent_micro_usd: 0 },
      { window: 'month', soft: true },
    ]);
    await keys.callerOf({ key }).get('/keys/self').expect(401);
  });

  it('creates no second key for a repeated Idempotency-Key and does not show the text again', async () => {
    const post = (name: string) =>
      keys.operator.post('/keys').set('idempotency-key', 'once').send({ tenant: 'idem', name });
    const first = (await post('a').expect(201)).body;
    const again = await post('a').expect(200);
    expect(again.headers['idempotent-replayed']).toBe('true');
    const { key: _key, ...view } = first;
    expect(again.body).toEqual(view);
    expect((await post('b').expect(422)).body.code).toBe('idempotency_key_reused');
    expect((await keys.operator.get('/keys?tenant=idem').expect(200)).body.data).toHaveLength(1);
    await keys.operator.post('/keys').set('idempotency-key', 'a b').send({}).expect(400);
  });

  it.each([
    [{ scopes: [] }, '/scopes'],
    [{ scopes: ['images:paint'] }, '/scopes/0'],
    [{ tenant: 'a b' }, '/tenant'],
    [{ expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    [{ limits: { requests_per_minute: 0 } }, '/limits/requests_per_minute'],
    [{ limits: { per_minute: 1 } }, '/limits/per_minute'],
    [{ budgets: [{ window: 'year', limit_micro_usd: 1 }] }, '/budgets/0/window'],
    [{ budgets: [{ window: 'day', limit_micro_usd: 0.5 }] }, '/budgets/0/limit_micro_usd'],
    [
      {
        budgets: [
          { window: 'day', limit_micro_usd: 1 },
          { window: 'day', limit_micro_usd: 2 },
        ],
      },
      '/budgets/1',
    ],
    [{ models: ['gpt-image-2.6-flair'] }, '/models/0'],
    [{ budget: 5 }, '/budget'],
    // No response could state this time, because its UTC year has five digits.
    [{ expires_at: '9999-12-31T23:59:59-00:01' }, '/expires_at'],
  ])('refuses a key with %o and names the field', async (body, pointer) => {
    const { body: problem } = await keys.operator.post('/keys').send(body).expect(422);
    expect(problem.errors.map((each: { pointer: string }) => each.pointer)).toContain(pointer);
  });

  it('lets a tenant administrator create keys of its own tenant only', async () => {
    const admin = await keys.administrator('shop');
    const made = await keys.create({ name: 'a service' }, admin);
    expect([made.tenant, made.scopes]).toEqual(['shop', ['images:write', 'images:read', 'webhooks']]);
    await keys.create({ tenant: 'shop' }, admin);
    for (const refused of [
      await admin.post('/keys').send({ tenant: 'reseller' }),
      await admin.get('/keys?tenant=reseller'),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope']);
    }
    const ids = (await admin.get('/keys').expect(200)).body.data.map((each: KeyView) => each.tenant);
    expect(new Set(ids)).toEqual(new Set(['shop']));
  });
});

describe('GET /keys', () => {
  it('lists keys in pages, newest first, and the operator sees all tenants', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await keys.create({ tenant: 'paged', name: `${i}` })).id);
    const listed: string[] = [];
    for (let cursor = ''; ; ) {
      const query = `limit=2&tenant=paged${cursor && `&cursor=${cursor}`}`;
      const { body } = await keys.operator.get(`/keys?${query}`).expect(200);
      listed.push(...body.data.map((each: KeyView) => each.id));
      if (!body.has_more) break;
      cursor = body.next_cursor;
    }
    expect(listed).toEqual(made);
    await keys.create({ tenant: 'paged-too' });
    const { body } = await keys.operator.get('/keys?limit=2').expect(200);
    expect(body.data.map((each: KeyView) => each.tenant)).toEqual(['paged-too', 'paged']);
    await keys.operator.get('/keys?cursor=nonsense').expect(422);
  });

  it('reports the last use of a key, and no use of an unused one', async () => {
    const [used, unused] = [await keys.create({ tenant: 'use' }), await keys.create({ tenant: 'use' })];
    const before = Date.now();
    await keys.callerOf(used).get('/keys/self').expect(200);
    await vi.waitFor(
      async () => {
        const { body } = await keys.operator.get('/keys?tenant=use').expect(200);
        const usedAt = body.data.find((each: KeyView) => each.id === used.id).last_used_at;
        expect(Date.parse(usedAt)).toBeGreaterThanOrEqual(before);
        expect(body.data.find((each: KeyView) => each.id === unused.id).last_used_at).toBeNull();
      },
      { timeout: 5_000 },
    );
  });
});

describe('GET /keys/self', () => {
  it('shows every valid key its own scopes and limits, also a key of the configuration', async () => {
    const made = await keys.create({ tenant: 'own', scopes: ['webhooks'], limits: { queued_jobs: 3 } });
    const { body } = await keys.callerOf(made).get('/keys/self').expect(200);
    expect(body).toMatchObject({
      id: made.id,
      tenant: 'own',
      scopes: ['webhooks'],
      limits: { queued_jobs: 3 },
    });
    const { body: configured } = await service.acme.get('/keys/self').expect(200);
    expect(configured).toMatchObject({ tenant: 'acme', name: 'bootstrap', created_at: null });
    await supertest(service.url).get('/keys/self').expect(401);
  });
});
