import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type HangingRedis, startHangingRedis } from '../support/hanging-redis.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startTestRedis } from '../support/redis.ts';
import { startService, type TestService } from '../support/service.ts';

const url = 'http://127.0.0.1:9/hook';

let redis: HangingRedis;
let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  const server = await startTestRedis();
  redis = await startHangingRedis(server.path);
  service = await startService({ REDIS_URL: redis.url, WEBHOOK_ALLOW_PRIVATE: 'true' });
  keys = manageKeysOf(service.url);
  // Redis then knows the scripts, and each write is one command.
  await keys.operator.post('/webhooks/endpoints').send({ url }).expect(201);
  await keys.create({ tenant: 'acme' });
  return async () => {
    await service.close();
    redis.close();
    await server.stop();
  };
});
afterEach(async () => {
  redis.resume();
  // A hanging connection may have been replaced.
  await vi.waitFor(() => keys.operator.get('/keys').expect(200), { timeout: 15_000, interval: 100 });
});

describe('a secret that is shown once', () => {
  it('shows the secret of a new endpoint although Redis hangs after it was stored', async () => {
    redis.hangAfter('webhook_endpoint.created');
    const { body } = await keys.operator.post('/webhooks/endpoints').send({ url }).expect(201);
    expect(body.secret).toMatch(/^whsec_/);
  });

  it('registers no second endpoint for a repeated Idempotency-Key and does not show the secret again', async () => {
    const post = (events: string[]) =>
      keys.operator.post('/webhooks/endpoints').set('idempotency-key', 'once').send({ url, events });
    const count = async () => (await keys.operator.get('/webhooks/endpoints').expect(200)).body.data.length;
    const { secret, ...first } = (await post(['image.*']).expect(201)).body;
    const before = await count();
    const again = await post(['image.*']).expect(200);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.headers['cache-control']).toBe('no-store');
    expect(again.body).toEqual(first);
    expect(await count()).toBe(before);
    expect((await post(['*']).expect(422)).body.code).toBe('idempotency_key_reused');
    await keys.operator.post('/webhooks/endpoints').set('idempotency-key', 'a b').send({ url }).expect(400);
    // A caller that lost the first response gets a secret by a rotation.
    const path = `/webhooks/endpoints/${first.id}`;
    const rotated = await keys.operator.post(`${path}/rotate-secret`).send({ grace_s: 0 }).expect(200);
    expect(rotated.body.secret).not.toBe(secret);
    await keys.operator.delete(path).expect(204);
    const { body } = await post(['image.*']).expect(422);
    expect(body).toMatchObject({
      code: 'idempotency_key_reused',
      detail: expect.stringContaining('removed'),
    });
  });

  it('shows a rotated secret of an endpoint although Redis hangs after it was stored', async () => {
    const { body: endpoint } = await keys.operator.post('/webhooks/endpoints').send({ url }).expect(201);
    redis.hangAfter('webhook_endpoint.rotated');
    const rotation = keys.operator.post(`/webhooks/endpoints/${endpoint.id}/rotate-secret`).send({});
    const { body } = await rotation.expect(200);
    expect(body.secret).toMatch(/^whsec_/);
    expect(body.secret).not.toBe(endpoint.secret);
  });

  it('shows the text of a new key although Redis hangs after it was stored', async () => {
    redis.hangAfter('key.created');
    const { key } = await keys.create({ tenant: 'acme', scopes: ['images:read'] });
    redis.resume();
    await vi.waitFor(() => keys.callerOf({ key }).get('/keys/self').expect(200), { timeout: 15_000 });
  });
});
