import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Caller, createCaller } from '../support/caller.ts';
import { eventsOf, openTenantEvents } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, startServiceIn, type TestService } from '../support/service.ts';
import { createEnvironment, textCalls } from '../support/service-environment.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  keys = manageKeysOf(service.url);
  return service.close;
});

const enhance = (body: object, caller: Caller = service.acme) => caller.post('/prompts/enhance').send(body);
const withKey = (body: object, key: string) => enhance(body).set('idempotency-key', key);
const ledgerOf = async (caller: Caller): Promise<object[]> => {
  const { text } = await caller.get('/usage/ledger').expect(200);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};

let tenants = 0;
/** Creates a key of a new tenant. */
async function keyWith(fields: object): Promise<Caller> {
  const tenant = `enhance-${++tenants}`;
  const scopes = ['images:write', 'images:read', 'admin'];
  const { body } = await keys.operator
    .post('/keys')
    .send({ tenant, scopes, ...fields })
    .expect(201);
  return createCaller(service.url, body.key);
}

describe('POST /prompts/enhance', () => {
  it('returns the description of one paid call with its tokens and its cost', async () => {
    const { body, headers } = await enhance({ prompt: 'A heron at dawn' }).expect(200);
    expect(body).toEqual({
      object: 'enhancement',
      original: 'A heron at dawn',
      enhanced: expect.stringMatching(/heron/i),
      usage: {
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
      },
      cost: {
        micro_usd: expect.any(Number),
        estimated: false,
        billing: 'charged',
        price_version: expect.any(String),
      },
    });
    expect(body.cost.micro_usd).toBeGreaterThan(0);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-darkroom-job-id': expect.stringMatching(/^img_/),
    });
    expect(textCalls(service.studio, 'A heron at dawn')).toHaveLength(1);
  });

  it('returns the description that a job with enhance would get', async () => {
    const prompt = 'A red fox with round glasses';
    const { body } = await enhance({ prompt, preset: 'avatar' }).expect(200);
    const job = await service.acme.generate({ prompt, preset: 'avatar', enhance: 'always' });
    expect(body.enhanced).toBe(job.prompt.enhanced);
  });

  it.each([
    ['an empty prompt', { prompt: '' }, '/prompt'],
    ['a prompt of spaces', { prompt: '  \u3000' }, '/prompt'],
    ['an unknown field', { prompt: 'A fox', model: 'gpt-5.4-mini' }, '/model'],
    ['an unknown preset', { prompt: 'A fox', preset: 'nothing' }, '/preset'],
    [
      'an unknown variable',
      { prompt: 'A fox', preset: { name: 'avatar', variables: { hat: 'red' } } },
      '/preset/variables/hat',
    ],
  ])('refuses %s with a pointer, before anything is paid', async (_what, body, pointer) => {
    const calls = textCalls(service.studio).length;
    const refused = await enhance(body).expect(422);
    expect(refused.body).toMatchObject({ code: 'validation_failed', errors: [{ pointer }] });
    expect(textCalls(service.studio)).toHaveLength(calls);
  });

  it('counts in the ledger and the usage of its tenant, and appears in no list', async () => {
    const caller = await keyWith({ name: 'counted' });
    const { body, headers } = await enhance({ prompt: 'A counted crane' }, caller).expect(200);
    const id = headers['x-darkroom-job-id'];
    expect(await ledgerOf(caller)).toMatchObject([
      { job_id: id, attempt: 1, kind: 'enhance', state: 'stored', micro_usd: body.cost.micro_usd },
    ]);
    const usage = await caller.get('/usage?group_by=model').expect(200);
    expect(usage.body.data).toMatchObject([
      { model: 'gpt-5.4-mini', jobs: 1, images: 0, micro_usd: body.cost.micro_usd },
    ]);
    const list = await caller.get('/images').expect(200);
    expect(list.body.data).toEqual([]);
    expect(await caller.job(id ?? '')).toMatchObject({ status: 'succeeded', images: [], request: { n: 0 } });
  });

  it('appears on no event stream of the tenant and is delivered to no webhook endpoint', async () => {
    const endpoints = await startEndpointServer();
    onTestFinished(endpoints.close);
    await service.acme
      .post('/webhooks/endpoints')
      .send({ url: `http://127.0.0.1:${endpoints.port}` })
      .expect(201);
    const stream = await openTenantEvents(service.url);
    await enhance({ prompt: 'A quiet quail' }).expect(200);
    const { id } = await service.acme.generate({ prompt: 'A job after it' });
    const [event] = await eventsOf(stream, 1);
    expect(event?.id).toBe(id);
    await vi.waitFor(() => expect(endpoints.requests.length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
    const sent = endpoints.requests.map(({ body }) => JSON.parse(body).data.id);
    expect(new Set(sent)).toEqual(new Set([id]));
  });

  it('is erased by the id of its job, and a replay then responds with 410', async () => {
    const key = randomUUID();
    const { headers } = await withKey({ prompt: 'An erased egret' }, key).expect(200);
    const id = headers['x-darkroom-job-id'];
    await service.acme.delete(`/images/${id}`).expect(204);
    await service.acme.get(`/images/${id}`).expect(410);
    const { body } = await withKey({ prompt: 'An erased egret' }, key).expect(410);
    expect(body.code).toBe('erased');
  });

  it('refuses a retry of the job and names the request to repeat', async () => {
    const { headers } = await enhance({ prompt: 'No retry [studio:enhance-moderation]' }).expect(422);
    const id = headers['x-darkroom-job-id'];
    const { body } = await service.acme.post(`/images/${id}/retry`).expect(409);
    expect(body).toMatchObject({
      code: 'not_retryable_job',
      detail: expect.stringMatching(/prompts\/enhance/),
    });
  });
});

describe('a failed enhancement', () => {
  it.each([
    ['moderation', 422, 'moderation_blocked', 'none', 'Nothing was charged.'],
    ['bad-request', 422, 'provider_rejected', 'none', 'Nothing was charged.'],
    ['hang-up', 502, 'provider_outcome_unknown', 'possible', 'A charge is possible.'],
    ['truncated', 502, 'provider_unusable_answer', 'charged', 'was charged.'],
  ])('responds to the fault %s with %i %s and the charge', async (fault, status, code, billing, charge) => {
    const prompt = `A faulty falcon [studio:enhance-${fault}]`;
    const { body } = await enhance({ prompt }).expect(status);
    expect(body).toMatchObject({ code, billing, detail: expect.stringContaining(charge) });
    expect(textCalls(service.studio, prompt)).toHaveLength(1);
  });

  it('repeats the failure for the same Idempotency-Key without another call', async () => {
    const key = randomUUID();
    const body = { prompt: 'A known failure [studio:enhance-hang-up]' };
    await withKey(body, key).expect(502);
    await withKey(body, key).expect(502).expect('idempotent-replayed', 'true');
    expect(textCalls(service.studio, 'A known failure')).toHaveLength(1);
  });
});

describe('an Idempotency-Key of an enhancement', () => {
  it('pays once for equal requests at the same time and later', async () => {
    const key = randomUUID();
    const body = { prompt: 'A shared stork [studio:enhance-latency=300]' };
    const first = await Promise.all([1, 2, 3].map(() => withKey(body, key).expect(200)));
    const later = await withKey(body, key).expect(200).expect('idempotent-replayed', 'true');
    const results = [...first, later].map((each) => each.body);
    expect(new Set(results.map((each) => JSON.stringify(each)))).toHaveLength(1);
    expect(textCalls(service.studio, 'A shared stork')).toHaveLength(1);
  });

  it('is refused with another body, and for a job', async () => {
    const key = randomUUID();
    await withKey({ prompt: 'The first body of the key' }, key).expect(200);
    const { body } = await withKey({ prompt: 'The second body of the key' }, key).expect(422);
    expect(body.code).toBe('idempotency_key_reused');
    await service.acme
      .post('/images')
      .set('idempotency-key', key)
      .send({ prompt: 'The first body of the key' })
      .expect(422);
    expect(textCalls(service.studio, 'body of the key')).toHaveLength(1);
  });
});

describe('the key of an enhancement', () => {
  it('needs a preset if it allows presets only, and no model that it allows', async () => {
    const caller = await keyWith({ name: 'presets', presets_only: true, models: ['gpt-image-2'] });
    const { body } = await enhance({ prompt: 'A free prompt' }, caller).expect(403);
    expect(body.code).toBe('preset_required');
    await enhance({ prompt: 'A fox', preset: 'avatar' }, caller).expect(200);
  });

  it('holds the upper bound in its budget, settles the cost, and gets 402 when the budget is exhausted', async () => {
    const caller = await keyWith({ name: 'poor', budgets: [{ window: 'day', limit_micro_usd: 15_000 }] });
    const spent = async () => (await caller.get('/keys/self').expect(200)).body.budgets[0];
    const running = enhance({ prompt: 'A held hawk [studio:enhance-latency=1500]' }, caller).then(
      (done) => done,
    );
    await eventually(async () => expect((await spent()).held_micro_usd).toBeGreaterThan(5_000));
    const { body } = await enhance({ prompt: 'A hawk too much' }, caller).expect(402);
    expect(body).toMatchObject({ code: 'budget_exceeded', budget: { name: 'key_day' } });
    const { micro_usd } = (await running).body.cost;
    expect(await spent()).toMatchObject({ held_micro_usd: 0, spent_micro_usd: micro_usd });
    await enhance({ prompt: 'Another hawk' }, caller).expect(200);
    expect(textCalls(service.studio, 'A hawk too much')).toEqual([]);
  });
});

describe('an enhancement without a worker', () => {
  it('costs nothing if its caller disconnects while it waits', async () => {
    const environment = await createEnvironment({ ROLES: 'api' });
    const api = await startServiceIn(environment);
    onTestFinished(async () => {
      await api.close();
      await environment.remove();
    });
    const gone = new AbortController();
    const lost = fetch(`${api.url}/prompts/enhance`, {
      method: 'POST',
      headers: { authorization: 'Bearer key-of-acme-for-tests', 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'A waiting warbler' }),
      signal: gone.signal,
    }).catch((error) => error);
    const metrics = async () => (await api.acme.get('/metrics')).text;
    await eventually(async () => expect(await metrics()).toMatch(/submitted\w*\{[^}]*created[^}]*\} 1/));
    gone.abort();
    await lost;
    await vi.waitFor(async () => expect(await metrics()).toMatch(/\{[^}]*canceled[^}]*\} 1/), 5_000);
  });
});
