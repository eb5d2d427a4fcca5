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
