import supertest from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntryView } from '../../src/domain/audit-view.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

const until = '2099-01-01T00:00:00.000Z';
const budgets = [{ window: 'day', limit_micro_usd: 100, soft: false }];
const raise = { amount_micro_usd: 50, until };
const shown = { object: 'budget_override', ...raise, window: null };

/** Path of a fresh key or tenant with a budget, and the tenant of its audit log. */
const owners = {
  key: async () => {
    const { id, tenant } = await keys.create({ tenant: 'raised', budgets });
    return { path: `/keys/${id}`, tenant, target: id };
  },
  tenant: async () => {
    const name = `raised-${Date.now()}-${Math.random().toString(36).slice(2)}`;
    await keys.operator.patch(`/tenants/${name}`).send({ budgets }).expect(200);
    return { path: `/tenants/${name}`, tenant: name, target: name };
  },
};
type Owner = Awaited<ReturnType<typeof owners.key>>;

const overridesOf = async ({ path }: Owner) =>
  (await keys.operator.get(path).expect(200)).body.budget_overrides;

const post = ({ path }: Owner, body: object = raise) =>
  keys.operator.post(`${path}/budget-overrides`).send(body);

async function auditOf({ tenant, target }: Owner): Promise<AuditEntryView[]> {
  const { body } = await keys.operator.get(`/audit?limit=100&tenant=${tenant}`).expect(200);
  return body.data.filter((each: AuditEntryView) => each.target === target);
}

describe.each(Object.entries(owners))('the overrides of the budgets of a %s', (_, create) => {
  it('are not added twice by requests with one Idempotency-Key, which another raise cannot use', async () => {
    const owner = await create();
    const send = (body: object) => post(owner, body).set('idempotency-key', 'raise-1');
    await Promise.all(
      [send(raise), send(raise)].map(async (each) => expect((await each).body).toEqual(shown)),
    );
    const repeated = await send(raise).expect(200);
    expect(repeated.headers['idempotent-replayed']).toBe('true');
    const other = await send({ ...raise, amount_micro_usd: 60 }).expect(422);
    expect(other.body.code).toBe('idempotency_key_reused');
    expect(await overridesOf(owner)).toEqual([shown]);
    expect((await auditOf(owner)).filter(({ action }) => action === 'budget.overridden')).toHaveLength(1);
    await post(owner).set('idempotency-key', 'raise-2').expect(201);
    expect(await overridesOf(owner)).toEqual([shown, shown]);
  });

  it('are shown while they apply, and the audit log has amount, end and window', async () => {
    const owner = await create();
    expect(await overridesOf(owner)).toEqual([]);
    const soon = new Date(Date.now() + 1_500).toISOString();
    await post(owner, { amount_micro_usd: 7, until: soon }).expect(201);
    await post(owner).expect(201);
    await post(owner, { ...raise, window: 'day' }).expect(201);
    const ofDay = { ...shown, window: 'day' };
    await expect.poll(() => overridesOf(owner), { timeout: 5_000 }).toEqual([shown, ofDay]);
    const entries = await auditOf(owner);
    expect(entries.map(({ action, budget_override: made }) => [action, made]).slice(0, 4)).toEqual([
      ['budget.overridden', ofDay],
      ['budget.overridden', shown],
      ['budget.overridden', { ...shown, amount_micro_usd: 7, until: soon }],
      [expect.stringMatching(/^(key\.created|tenant\.changed)$/), null],
    ]);
  });

  it('end with DELETE, which is audited once and may be repeated', async () => {
    const owner = await create();
    await post(owner).expect(201);
    await post(owner).expect(201);
    for (let i = 0; i < 2; i++) await keys.operator.delete(`${owner.path}/budget-overrides`).expect(204);
    expect(await overridesOf(owner)).toEqual([]);
    const actions = (await auditOf(owner)).map(({ action }) => action);
    expect(actions.slice(0, 2)).toEqual(['budget.overrides_ended', 'budget.overridden']);
  });

  it('end if the budgets are changed, and stay if other rules are changed', async () => {
    const owner = await create();
    await post(owner).expect(201);
    await keys.operator
      .patch(owner.path)
      .send({ limits: { queued_jobs: 3 }, budgets })
      .expect(200);
    expect(await overridesOf(owner)).toEqual([shown]);
    const changed = [{ ...budgets[0], limit_micro_usd: 200 }];
    const { body } = await keys.operator.patch(owner.path).send({ budgets: changed }).expect(200);
    expect([body.budgets, body.budget_overrides]).toEqual([changed, []]);
    expect((await auditOf(owner))[0]?.fields).toEqual(['budgets', 'budget_overrides']);
  });

  it('are at most 20 at the same time, and the refusal of another names the way to end them', async () => {
    const owner = await create();
    for (let i = 0; i < 20; i++) await post(owner).expect(201);
    const { body } = await post(owner).expect(422);
    expect(body.detail).toContain('DELETE');
    expect(body.errors).toEqual([{ pointer: '', detail: 'is more than 20 overrides' }]);
    await keys.operator.delete(`${owner.path}/budget-overrides`).expect(204);
    await post(owner).expect(201);
  });
});

it('a key sees its own overrides, and its limit without them within a second after their end', async () => {
  const made = await keys.create({ tenant: 'raised', budgets });
  const self = async () => (await keys.callerOf(made).get('/keys/self').expect(200)).body;
  const limits = async () =>
    (await self()).budgets.map((each: Record<string, number>) => each.limit_micro_usd);
  await keys.operator.post(`/keys/${made.id}/budget-overrides`).send(raise).expect(201);
  await expect.poll(limits, { timeout: 1_000 }).toEqual([150]);
  expect((await self()).budget_overrides).toEqual([shown]);
  await keys.operator.delete(`/keys/${made.id}/budget-overrides`).expect(204);
  await expect.poll(limits, { timeout: 1_000 }).toEqual([100]);
});

it('a replacement of the rules of a tenant ends the overrides, also if it names the same rules', async () => {
  const owner = await owners.tenant();
  await post(owner).expect(201);
  const put = () =>
    supertest(service.url)
      .put(owner.path)
      .set('authorization', `Bearer ${testKeys.admin}`)
      .send({ budgets })
      .expect(200);
  expect((await put()).body).toMatchObject({ budgets, budget_overrides: [] });
  await put();
  const entries = await auditOf(owner);
  expect(entries.map(({ fields }) => fields)).toEqual([['budget_overrides'], [], ['budgets']]);
});
