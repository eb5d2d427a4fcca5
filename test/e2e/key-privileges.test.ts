import { beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { type ManagedKeys, manageKeysOf, type NewKey } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';

/** Changes by which a key with the scope `admin` would have more rights, more money or more time than before, or none. */

let service: TestService;
let keys: ManagedKeys;
/** Another key of the tenant, without an expiry. */
let other: NewKey;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  other = await keys.create({ tenant: 'shop', scopes: ['admin'] });
  return service.close;
});

const raise = { amount_micro_usd: 1, until: '2099-01-01T00:00:00Z' };
const early = '2089-01-01T00:00:00.000Z';
const own = '2090-01-01T00:00:00.000Z';
const late = '2091-01-01T00:00:00.000Z';

const administrator = (body: object) => keys.create({ tenant: 'shop', scopes: ['admin'], ...body });

describe('a restricted key with the scope admin', () => {
  const restrictions = [
    { budgets: [{ window: 'total', limit_micro_usd: 1_000_000 }] },
    { budgets: [{ window: 'day', limit_micro_usd: 1, soft: true }] },
    { limits: { requests_per_minute: 1_000 } },
    { models: ['gpt-image-2'] },
    { presets_only: true },
  ];
  type Way = (caller: Caller, key: NewKey) => ReturnType<Caller['get']>;
  const ways: readonly [string, Way][] = [
    ['create a key', (caller) => caller.post('/keys').send({})],
    ['change another key', (caller) => caller.patch(`/keys/${other.id}`).send({ name: 'x' })],
    ['disable another key', (caller) => caller.patch(`/keys/${other.id}`).send({ disabled: true })],
    ['rotate another key', (caller) => caller.post(`/keys/${other.id}/rotate`)],
    ['revoke another key', (caller) => caller.delete(`/keys/${other.id}`)],
    ['change itself', (caller, { id }) => caller.patch(`/keys/${id}`).send({ budgets: null, models: null })],
    ['raise its own budgets', (caller, { id }) => caller.post(`/keys/${id}/budget-overrides`).send(raise)],
    [
      'raise the budgets of another key',
      (caller) => caller.post(`/keys/${other.id}/budget-overrides`).send(raise),
    ],
    ['end the raises of another key', (caller) => caller.delete(`/keys/${other.id}/budget-overrides`)],
    ['settle a charge', (caller) => caller.post('/images/img_none/settle').send({ micro_usd: 0 })],
    ['change its tenant', (caller) => caller.patch('/tenants/shop').send({ limits: null })],
    [
      'raise the budgets of its tenant',
      (caller) => caller.post('/tenants/shop/budget-overrides').send(raise),
    ],
  ];

  it.each(ways)('cannot %s, whatever restricts it', async (_, way) => {
    for (const restriction of restrictions) {
      const key = await administrator(restriction);
      const { status, body } = await way(keys.callerOf(key), key);
      expect([status, body.code], JSON.stringify(restriction)).toEqual([403, 'insufficient_scope']);
    }
  });

  it('cannot free its budget of a charge that is not known', async () => {
    const caller = keys.callerOf(await administrator(restrictions[0] ?? {}));
    const job = await caller.generate({ prompt: 'A fox [studio:hang-up]', on_uncertain: 'fail' });
    const held = async () => (await caller.get('/keys/self').expect(200)).body.budgets[0].held_micro_usd;
    const before = await held();
    expect(before).toBeGreaterThan(0);
    await caller.post(`/images/${job.id}/settle`).send({ micro_usd: 0 }).expect(403);
    expect(await held()).toBe(before);
    await keys.callerOf(other).post(`/images/${job.id}/settle`).send({ micro_usd: 0 }).expect(200);
    expect(await held()).toBe(0);
  });

  it('reads the keys of its tenant and rotates itself', async () => {
    const key = await administrator({ presets_only: true });
    const caller = keys.callerOf(key);
    await caller.get(`/keys/${other.id}`).expect(200);
    const { body } = await caller.post(`/keys/${key.id}/rotate`).expect(200);
    expect(body).toMatchObject({ id: key.id, presets_only: true });
  });
});

describe('a key that expires', () => {
  it('creates keys that expire no later, and no others', async () => {
    const caller = keys.callerOf(await administrator({ expires_at: own }));
    for (const body of [{}, { expires_at: null }, { expires_at: late }]) {
      expect((await caller.post('/keys').send(body).expect(403)).body.code).toBe('insufficient_scope');
    }
    await caller.post('/keys').send({ expires_at: own }).expect(201);
  });

  it.each([late, null])('can neither rotate, change nor raise a key with the expiry %s', async (expiry) => {
    const caller = keys.callerOf(await administrator({ expires_at: own }));
    const { id } = await keys.create({ tenant: 'shop', expires_at: expiry });
    for (const refused of [
      await caller.post(`/keys/${id}/rotate`),
      await caller.patch(`/keys/${id}`).send({ scopes: ['admin'] }),
      await caller.patch(`/keys/${id}`).send({ disabled: false }),
      await caller.patch(`/keys/${id}`).send({ expires_at: expiry }),
      await caller.post(`/keys/${id}/budget-overrides`).send(raise),
      await caller.delete(`/keys/${id}/budget-overrides`),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope']);
    }
    const { body } = await keys.operator.get(`/keys/${id}`).expect(200);
    expect([body.scopes.includes('admin'), body.previous_valid_until]).toEqual([false, null]);
  });

  it('manages keys that expire no later, shortens others, and revokes every key', async () => {
    const key = await administrator({ expires_at: own });
    const caller = keys.callerOf(key);
    const { id } = await keys.create({ tenant: 'shop', expires_at: own });
    await caller.patch(`/keys/${id}`).send({ name: 'changed' }).expect(200);
    await caller.post(`/keys/${id}/rotate`).expect(200);
    await caller.post(`/keys/${key.id}/rotate`).expect(200);
    const endless = await keys.create({ tenant: 'shop' });
    await caller.patch(`/keys/${endless.id}`).send({ expires_at: early }).expect(200);
    await caller.post(`/keys/${endless.id}/rotate`).expect(200);
    await caller.delete(`/keys/${(await keys.create({ tenant: 'shop' })).id}`).expect(204);
  });
});

describe('a key that changes itself', () => {
  it.each([
    [{ disabled: true }, '/disabled'],
    [{ scopes: ['images:read'] }, '/scopes'],
    [{ expires_at: early }, '/expires_at'],
    [{ expires_at: new Date(Date.now() + 3_600_000).toISOString() }, '/expires_at'],
    [{ models: ['gpt-image-2'] }, '/models'],
    [{ presets_only: true }, '/presets_only'],
    [{ limits: { requests_per_minute: 1 } }, '/limits'],
    [{ budgets: [{ window: 'day', limit_micro_usd: 0 }] }, '/budgets'],
  ])('is refused %o, which it could not take back', async (change, pointer) => {
    for (const expiry of [null, own]) {
      const key = await administrator({ expires_at: expiry });
      const { body } = await keys.callerOf(key).patch(`/keys/${key.id}`).send(change).expect(409);
      expect([body.code, body.errors[0].pointer]).toEqual(['own_key', pointer]);
    }
  });

  it('cannot revoke itself, restricted or not', async () => {
    for (const restriction of [{}, { presets_only: true }]) {
      const key = await administrator(restriction);
      const { body } = await keys.callerOf(key).delete(`/keys/${key.id}`).expect(409);
      expect(body.code).toBe('own_key');
    }
  });

  it('may change its name, and send back the rules that it has', async () => {
    const key = await administrator({ expires_at: own });
    const rules = { expires_at: own, models: null, budgets: [], limits: {}, presets_only: false };
    const body = { ...rules, disabled: false, scopes: ['admin', 'images:read'], name: 'still here' };
    const response = await keys.callerOf(key).patch(`/keys/${key.id}`).send(body).expect(200);
    expect(response.body).toMatchObject({ name: 'still here', expires_at: own, disabled: false });
  });
});
