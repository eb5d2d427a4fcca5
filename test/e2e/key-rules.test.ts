import { beforeAll, describe, expect, it } from 'vitest';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

const allowed = 'gpt-image-2.6-flare';
const forbidden = 'gpt-image-2';

describe('a key with models', () => {
  it('refuses every request for another model with 403 and accepts its own models and their aliases', async () => {
    const [free, bound] = [
      keys.callerOf(await keys.create({ tenant: 'models' })),
      keys.callerOf(await keys.create({ tenant: 'models', models: [allowed] })),
    ];
    const failed = await free.generate({ prompt: 'No [studio:bad-request]', model: forbidden });
    const done = await free.generate({ prompt: 'A fox', model: forbidden, quality: 'low' });
    const body = { prompt: 'A fox', model: forbidden };
    for (const refused of [
      await bound.post('/images').send(body),
      await bound.post('/images?dry_run=true').send(body),
      await bound.post(`/images/${failed.id}/retry`),
      await bound.post(`/images/${done.id}/variations`).send({}),
      await bound.post('/v1/images/generations').send(body),
    ]) {
      expect([refused.status, refused.body.code], refused.text).toEqual([403, 'model_not_allowed']);
      expect(refused.headers['x-should-retry']).toBe('false');
      expect(refused.body.detail).toContain(allowed);
      expect(refused.body.errors[0].pointer).toBe('/model');
    }
    await bound.submit({ prompt: 'A fox', model: allowed });
    await bound.post('/images').send({ prompt: 'A fox', model: 'gpt-image-none' }).expect(422);
  });

  it('applies the rules to the model that a request leaves open', async () => {
    const bound = keys.callerOf(await keys.create({ tenant: 'models', models: [forbidden] }));
    expect((await bound.post('/images').send({ prompt: 'A fox' }).expect(403)).body.code).toBe(
      'model_not_allowed',
    );
  });

  it('still replays a job that was accepted before the rules changed', async () => {
    const made = await keys.create({ tenant: 'models' });
    const caller = keys.callerOf(made);
    const post = () =>
      caller.post('/images').set('idempotency-key', 'kept').send({ prompt: 'A fox', model: allowed });
    const first = await post().expect(202);
    await keys.operator
      .patch(`/keys/${made.id}`)
      .send({ models: [forbidden] })
      .expect(200);
    await expect
      .poll(async () => (await caller.post('/images').send({ prompt: 'A fox', model: allowed })).status)
      .toBe(403);
    const again = await post();
    expect([again.body.id, again.headers['idempotent-replayed']]).toEqual([first.body.id, 'true']);
  });
});

describe('a key with presets_only', () => {
  it('refuses a free prompt with 403 and accepts a preset', async () => {
    const bound = keys.callerOf(await keys.create({ tenant: 'presets', presets_only: true }));
    for (const refused of [
      await bound.post('/images').send({ prompt: 'A fox' }),
      await bound.post('/v1/images/generations').send({ prompt: 'A fox', model: allowed }),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([403, 'preset_required']);
    }
    await bound.submit({ prompt: 'A fox', preset: 'artwork' });
  });
});
