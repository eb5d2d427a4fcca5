import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

const raise = { amount_micro_usd: 1, until: '2099-01-01T00:00:00Z' };

describe('PATCH and DELETE /keys/{id}', () => {
  it('changes the named fields, keeps the others, and removes those that are null', async () => {
    const made = await keys.create({ tenant: 'patch', limits: { queued_jobs: 3 }, models: ['gpt-image-2'] });
    const path = `/keys/${made.id}`;
    const { body } = await keys.operator.patch(path).send({ name: 'new', limits: null }).expect(200);
    expect(body).toMatchObject({ name: 'new', limits: { queued_jobs: null }, models: ['gpt-image-2'] });
    expect(body.updated_at >= `${made.created_at}`).toBe(true);
    await keys.operator
      .patch(path)
      .send({ models: null, metadata: { a: 'b' } })
      .expect(200);
    const { body: after } = await keys.operator.get(path).expect(200);
    expect(after).toMatchObject({ name: 'new', models: null, metadata: { a: 'b' } });
    await keys.operator.patch(path).send({ tenant: 'other' }).expect(422);
  });

  it('refuses a disabled key, accepts it again, and refuses a revoked key for good', async () => {
    const made = await keys.create({ tenant: 'states' });
    const path = `/keys/${made.id}`;
    const use = (status: number) =>
      vi.waitFor(() => keys.callerOf(made).get('/images').expect(status), { timeout: 1_000 });
    await use(200);
    await keys.operator.patch(path).send({ disabled: true }).expect(200);
    await use(401);
    await keys.operator.patch(path).send({ disabled: false }).expect(200);
    await use(200);
    await keys.operator.delete(path).expect(204);
    await keys.operator.delete(path).expect(204);
    await use(401);
    expect((await keys.operator.get(path).expect(200)).body.revoked_at).not.toBeNull();
    for (const refused of [
      await keys.operator.patch(path).send({ disabled: false }),
      await keys.operator.post(`${path}/rotate`),
      await keys.operator.post(`${path}/budget-overrides`).send(raise),
      await keys.operator.delete(`${path}/budget-overrides`),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([409, 'key_revoked']);
    }
  });

  it('responds to the key of another tenant as to an unknown key, byte for byte', async () => {
    const admin = await keys.administrator('curious');
    const { id } = await keys.create({ tenant: 'victim' });
    const unknown = 'key_000000000000';
    const requests: ((path: string) => ReturnType<Caller['get']>)[] = [
      (path) => admin.get(path),
      (path) => admin.patch(path).send({ name: 'mine' }),
      (path) => admin.post(`${path}/rotate`),
      (path) => admin.post(`${path}/budget-overrides`).send(raise),
      (path) => admin.delete(path),
    ];
    for (const request of requests) {
      const [theirs, none] = [await request(`/keys/${id}`), await request(`/keys/${unknown}`)];
      const hide = (text: string, own: string, requestId = '') =>
        text.replaceAll(own, '(id)').replaceAll(requestId, '(request)');
      expect(theirs.status).toBe(404);
      expect(hide(theirs.text, id, theirs.headers['x-request-id'])).toBe(
        hide(none.text, unknown, none.headers['x-request-id']),
      );
    }
  });
});

describe('POST /keys/{id}/rotate', () => {
  it('keeps the id, shows a new text, and accepts the old text for the grace period', async () => {
    const made = await keys.create({ tenant: 'rotate' });
    const { body } = await keys.operator.post(`/keys/${made.id}/rotate`).expect(200);
    expect(body).toMatchObject({ id: made.id, previous_valid_until: expect.any(String) });
    expect(body.key).not.toBe(made.key);
    expect(body.key.slice(0, 16)).toBe(made.key.slice(0, 16));
    await keys.callerOf(body).get('/images').expect(200);
    await keys.callerOf(made).get('/images').expect(200);

    const { body: last } = await keys.operator
      .post(`/keys/${made.id}/rotate`)
      .send({ grace_s: 0 })
      .expect(200);
    await keys.callerOf(last).get('/images').expect(200);
    expect(last.previous_valid_until).toBeNull();
    for (const old of [made, body]) {
      await vi.waitFor(() => keys.callerOf(old).get('/images').expect(401), { timeout: 1_000 });
    }
  });

  it('accepts four earlier texts at most and then asks to wait or to drop them', async () => {
    const { id } = await keys.create({ tenant: 'rotate' });
    for (let i = 0; i < 4; i++) await keys.operator.post(`/keys/${id}/rotate`).expect(200);
    const { body } = await keys.operator.post(`/keys/${id}/rotate`).expect(409);
    expect(body.code).toBe('too_many_secrets');
    await keys.operator.post(`/keys/${id}/rotate`).send({ grace_s: 0 }).expect(200);
  });
});
