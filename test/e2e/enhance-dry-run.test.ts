import { beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Caller } from '../support/caller.ts';
import { eventually } from '../support/eventually.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';
import { textCalls } from '../support/service-environment.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

let tenants = 0;
/** Creates a key of a new tenant with a budget of a day. */
const keyWith = async (limitMicroUsd: number): Promise<Caller> =>
  keys.callerOf(
    await keys.create({
      tenant: `enhance-preview-${++tenants}`,
      scopes: ['images:write', 'images:read', 'admin'],
      budgets: [{ window: 'day', limit_micro_usd: limitMicroUsd }],
    }),
  );
const previewOf = (body: object, caller: Caller) => caller.post('/prompts/enhance?dry_run=true').send(body);
const heldBy = async (caller: Caller) =>
  (await caller.get('/keys/self').expect(200)).body.budgets[0].held_micro_usd;

it('a dry run of an enhancement returns the amount that the request will hold, and holds, stores and pays nothing', async () => {
  const caller = await keyWith(1_000_000);
  const request = { prompt: 'A previewed plover [studio:enhance-latency=1500]', preset: 'avatar' };
  const { body: preview, headers } = await previewOf(request, caller).expect(200);
  expect(preview).toEqual({
    object: 'enhancement_preview',
    request: { ...request, model: 'gpt-5.4-mini' },
    warnings: [],
    estimate: {
      low_micro_usd: expect.any(Number),
      high_micro_usd: expect.any(Number),
      eta_s: null,
      queue_depth: expect.any(Number),
    },
  });
  expect(headers).toMatchObject({ 'cache-control': 'no-store' });
  expect(headers).not.toHaveProperty('x-darkroom-job-id');
  expect(textCalls(service.studio, 'A previewed plover')).toEqual([]);
  expect(await heldBy(caller)).toBe(0);
  expect((await caller.get('/usage/ledger').expect(200)).text).toBe('');

  const { low_micro_usd: low, high_micro_usd: high } = preview.estimate;
  const running = caller
    .post('/prompts/enhance')
    .send(request)
    .then((done) => done);
  await eventually(async () => expect(await heldBy(caller)).toBe(high));
  const { micro_usd } = (await running).body.cost;
  expect(micro_usd).toBeGreaterThanOrEqual(low);
  expect(micro_usd).toBeLessThanOrEqual(high);
});

it('a dry run of an enhancement warns if a budget would refuse the request now', async () => {
  const caller = await keyWith(100);
  const { body } = await previewOf({ prompt: 'A plover too much' }, caller).expect(200);
  expect(body.warnings).toEqual([
    expect.stringMatching(/budget of the day of the API key .* It would be refused now\.$/),
  ]);
  await caller.post('/prompts/enhance').send({ prompt: 'A plover too much' }).expect(402);
});

it.each([
  ['a prompt of spaces', { prompt: ' ' }, 422, 'validation_failed'],
  ['an unknown preset', { prompt: 'A plover', preset: 'nothing' }, 422, 'validation_failed'],
  ['an unknown field', { prompt: 'A plover', n: 2 }, 422, 'validation_failed'],
])('a dry run of an enhancement refuses %s as the request itself', async (_what, body, status, code) => {
  const refused = await previewOf(body, service.acme).expect(status);
  expect(refused.body.code).toBe(code);
  await service.acme.post('/prompts/enhance').send(body).expect(status);
});

it('a dry run of an enhancement refuses a malformed Idempotency-Key', async () => {
  const { body } = await previewOf({ prompt: 'A plover' }, service.acme)
    .set('idempotency-key', 'x'.repeat(256))
    .expect(400);
  expect(body.code).toBe('invalid_idempotency_key');
});

it('a dry run of an enhancement by a model without a price has an unknown cost', async () => {
  const unpriced = await startService({ ENHANCE_MODEL: 'model-of-tomorrow' });
  onTestFinished(unpriced.close);
  const { body } = await previewOf({ prompt: 'A plover' }, unpriced.acme).expect(200);
  expect(body).toMatchObject({
    request: { model: 'model-of-tomorrow' },
    estimate: { low_micro_usd: null, high_micro_usd: null },
  });
});
