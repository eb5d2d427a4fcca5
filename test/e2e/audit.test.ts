import { beforeAll, expect, it } from 'vitest';
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

const audited = async (query: string, as = keys.operator): Promise<AuditEntryView[]> =>
  (await as.get(`/audit?limit=100&${query}`).expect(200)).body.data;

it('records who changed keys and tenants, from where and which fields, in the log of the tenant', async () => {
  const first = await keys.create({ tenant: 'log', scopes: ['admin'], name: 'a secret plan' });
  const admin = keys.callerOf(first);
  const made = await keys.create({}, admin);
  await admin
    .patch(`/keys/${made.id}`)
    .set('x-request-id', 'traced')
    .send({ name: 'new', limits: { queued_jobs: 5 }, presets_only: false })
    .expect(200);
  await admin.patch(`/keys/${made.id}`).send({ name: 'new' }).expect(200);
  const rotated = await admin.post(`/keys/${made.id}/rotate`).expect(200);
  await admin.delete(`/keys/${made.id}`).expect(204);
  await keys.operator.patch('/tenants/log').send({ weight: 2 }).expect(200);

  const entries = await audited('tenant=log');
  expect(entries.map(({ action, target, fields }) => [action, target, fields])).toEqual([
    ['tenant.changed', 'log', ['weight']],
    ['key.revoked', made.id, []],
    ['key.rotated', made.id, []],
    ['key.changed', made.id, ['name', 'limits']],
    ['key.created', made.id, []],
    ['key.created', first.id, []],
  ]);
  const [ofTenant, , , changed] = entries;
  expect(changed?.actor).toEqual({
    type: 'api_key',
    key_id: first.id,
    tenant: 'log',
    address: '127.0.0.1',
    request_id: 'traced',
  });
  expect(ofTenant?.actor).toMatchObject({ tenant: 'admin' });
  const text = JSON.stringify(entries);
  for (const secret of [first.key, made.key, rotated.body.key, testKeys.admin, 'a secret plan']) {
    expect(text).not.toContain(secret.slice(-20));
  }
  expect(await audited('', admin)).toEqual(entries);
});

it('records erasures of jobs and uploads, without prompts', async () => {
  const admin = await keys.administrator('erasure');
  const job = await admin.generate({ prompt: 'Very private' });
  await admin.delete(`/images/${job.id}`).expect(204);
  await admin.delete(`/images/${job.id}`).expect(410);
  const image = await service.acme.image((await service.acme.generate({ prompt: 'A fox' })).id);
  const upload = await admin
    .post('/uploads')
    .attach('file', image, { filename: 'fox.png', contentType: 'image/png' });
  await admin.delete(`/uploads/${upload.body.id}`).expect(204);
  const entries = await audited('tenant=erasure');
  expect(entries.map(({ action, target }) => [action, target]).slice(0, 2)).toEqual([
    ['upload.deleted', upload.body.id],
    ['job.erased', job.id],
  ]);
  expect(entries.filter(({ action }) => action === 'job.erased')).toHaveLength(1);
  expect(JSON.stringify(entries)).not.toContain('Very private');
});

it('lists the audit log in pages, between two times, and only for its own tenant', async () => {
  const admin = await keys.administrator('pages');
  const job = await admin.submit({ prompt: 'A fox' });
  for (let i = 0; i < 3; i++) await keys.create({}, admin);
  await admin.delete(`/images/${job.id}`).expect(204);
  for (let i = 0; i < 2; i++) await keys.create({}, admin);
  const all = await audited('', admin);
  expect(all).toHaveLength(7);
  const paged: AuditEntryView[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await admin.get(`/audit?limit=2${cursor && `&cursor=${cursor}`}`).expect(200);
    paged.push(...body.data);
    if (!body.has_more) break;
    cursor = body.next_cursor;
  }
  expect(paged).toEqual(all);
  const day = all[0]?.at.slice(0, 10);
  expect(await audited(`from=${day}`, admin)).toEqual(all);
  expect(await audited(`to=${day}`, admin)).toEqual([]);
  expect(await audited('from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00%2B02:00', admin)).toEqual([]);
  for (const query of ['from=yesterday', 'from=2026-02-30', 'to=1969-12-31', 'cursor=zz']) {
    await admin.get(`/audit?${query}`).expect(422);
  }
  expect((await admin.get('/audit?tenant=log').expect(403)).body.code).toBe('insufficient_scope');
});
