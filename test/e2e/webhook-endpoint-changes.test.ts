import { beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let admin: Caller;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'false', MAX_WEBHOOK_ENDPOINTS: '3' });
  admin = await manageKeysOf(service.url).administrator('hooks');
  return service.close;
});

const create = (body: object) => admin.post('/webhooks/endpoints').send(body);

describe('the URL of an endpoint', () => {
  it.each([
    [' https://example.com/ ', 'https://example.com/'],
    ['https://exa\nmple.com/a', 'https://example.com/a'],
    ['https:example.com', 'https://example.com/'],
  ])('is stored and shown in its normal spelling: %j', async (url, normal) => {
    const { body } = await create({ url }).expect(201);
    expect(body.url).toBe(normal);
    await admin.patch(`/webhooks/endpoints/${body.id}`).send({ url: 'https://other.example' }).expect(200);
    const patched = await admin.patch(`/webhooks/endpoints/${body.id}`).send({ url }).expect(200);
    expect(patched.body.url).toBe(normal);
    expect((await admin.get(`/webhooks/endpoints/${body.id}`)).body.url).toBe(normal);
    await admin.delete(`/webhooks/endpoints/${body.id}`).expect(204);
  });

  it('of a service in Kubernetes is refused with its field', async () => {
    const { body } = await create({ url: 'https://kubernetes.default.svc/' }).expect(422);
    expect(body).toMatchObject({ code: 'destination_forbidden', errors: [{ pointer: '/url' }] });
  });
});

describe('the audit log', () => {
  it('shows who created, changed, rotated and deleted an endpoint, and no refused attempt', async () => {
    const { id } = (await create({ url: 'https://example.com/' }).expect(201)).body;
    const at = `/webhooks/endpoints/${id}`;
    await admin.patch(at).send({ description: 'shop', disabled: true }).expect(200);
    await admin.patch(at).send({ description: 'shop' }).expect(200);
    for (let i = 0; i < 3; i++) await admin.post(`${at}/rotate-secret`).send({}).expect(200);
    await admin.post(`${at}/rotate-secret`).send({}).expect(409);
    const rotated = await admin.post(`${at}/rotate-secret`).send({ grace_s: 0 }).expect(200);
    expect(rotated.body.secrets).toHaveLength(1);
    await admin.post(`${at}/rotate-secret`).send({ grace_s: -1 }).expect(422);
    await admin.delete(at).expect(204);
    await admin.delete(at).expect(404);
    const log = await admin.get('/audit').expect(200);
    const entries = log.body.data.filter(({ target }: { target: string }) => target === id);
    expect(entries.map(({ action }: { action: string }) => action)).toEqual([
      'webhook_endpoint.deleted',
      ...Array.from({ length: 4 }, () => 'webhook_endpoint.rotated'),
      'webhook_endpoint.changed',
      'webhook_endpoint.created',
    ]);
    expect(entries[5]).toMatchObject({
      actor: { type: 'api_key', key_id: expect.stringMatching(/^key_/), tenant: 'hooks' },
      fields: ['description', 'disabled'],
    });
    expect(JSON.stringify(entries)).not.toContain('whsec_');
  });
});
