import supertest from 'supertest';
import { beforeAll, describe, expect, it, vi } from 'vitest';
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

const replace = (tenant: string, body: object) =>
  supertest(service.url)
    .put(`/tenants/${tenant}`)
    .set('authorization', `Bearer ${testKeys.admin}`)
    .send(body);

describe('/tenants/{name}', () => {
  it('replaces and changes the rules of a tenant, for the operator only', async () => {
    const path = '/tenants/customer';
    expect((await keys.operator.get(path).expect(200)).body).toEqual({
      object: 'tenant',
      name: 'customer',
      created_at: null,
      updated_at: null,
      limits: { requests_per_minute: null, concurrent_jobs: null, queued_jobs: null },
      budgets: [],
      budget_overrides: [],
      weight: 1,
      suspended: false,
    });
    const put = (body: object) => replace('customer', body);
    const budgets = [{ window: 'month', limit_micro_usd: 5, soft: false }];
    await put({ budgets, weight: 3 }).expect(200);
    const changed = await keys.operator
      .patch(path)
      .send({ limits: { queued_jobs: 9 } })
      .expect(200);
    expect(changed.body).toMatchObject({ budgets, weight: 3, limits: { queued_jobs: 9 } });
    const replaced = await put({ weight: 2 }).expect(200);
    expect(replaced.body).toMatchObject({ budgets: [], weight: 2, limits: { queued_jobs: null } });
    await put({ weight: 101 }).expect(422);
    await keys.operator.get('/tenants/a%20b').expect(422);
    const admin = await keys.administrator('customer');
    const refused = await admin.get(path);
    expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope']);
  });

  it('writes an audit entry for each change, and none for rules that a tenant has already', async () => {
    const audited = async () =>
      (await keys.operator.get('/audit?tenant=settled').expect(200)).body.data.map(
        ({ action, fields }: { action: string; fields: string[] }) => [action, fields],
      );
    const fresh = await replace('settled', {}).expect(200);
    expect(fresh.body.created_at).toBeNull();
    await replace('settled', { weight: 1, suspended: false, limits: {}, budgets: [] }).expect(200);
    await keys.operator.patch('/tenants/settled').send({ limits: null, budgets: null }).expect(200);
    expect(await audited()).toEqual([]);
    const rules = { weight: 2, budgets: [{ window: 'day', limit_micro_usd: 5 }], limits: { queued_jobs: 1 } };
    const { body } = await replace('settled', rules).expect(200);
    for (let i = 0; i < 2; i++) {
      expect((await replace('settled', rules).expect(200)).body).toEqual(body);
      await keys.operator.patch('/tenants/settled').send({ weight: 2, suspended: false }).expect(200);
    }
    expect(await audited()).toEqual([['tenant.changed', ['limits', 'budgets', 'weight']]]);
    await keys.operator.patch('/tenants/settled').send({ weight: 1 }).expect(200);
    expect((await audited())[0]).toEqual(['tenant.changed', ['weight']]);
  });

  it('refuses every request of a suspended tenant with 403 until it is resumed', async () => {
    const made = await keys.create({ tenant: 'debtor' });
    await keys.callerOf(made).get('/images').expect(200);
    await keys.operator.patch('/tenants/debtor').send({ suspended: true }).expect(200);
    await vi.waitFor(
      async () => {
        const { body, headers } = await keys.callerOf(made).get('/images').expect(403);
        expect([body.code, headers['x-should-retry']]).toEqual(['tenant_suspended', 'false']);
      },
      { timeout: 1_000 },
    );
    await keys.operator.patch('/tenants/debtor').send({ suspended: false }).expect(200);
    await vi.waitFor(() => keys.callerOf(made).get('/images').expect(200), { timeout: 1_000 });
    expect(
      (await keys.operator.patch('/tenants/admin').send({ suspended: true }).expect(409)).body.code,
    ).toBe('own_key');
  });
});
