import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Caller, createCaller } from '../support/caller.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { scrape } from '../support/scrape.ts';
import { startService, startServiceIn, type TestService } from '../support/service.ts';
import { createEnvironment } from '../support/service-environment.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  keys = manageKeysOf(service.url);
  return service.close;
});

let tenants = 0;
const request = { prompt: 'a red fox', model: 'gpt-image-2', quality: 'low', size: '1024x1024' };

/** Creates a key of a new tenant with budgets. */
async function keyWith(
  budgets: object[],
  more: object = {},
): Promise<{ id: string; tenant: string; caller: Caller }> {
  const tenant = `budget-${++tenants}`;
  const { body } = await keys.operator
    .post('/keys')
    .send({ tenant, budgets, ...more })
    .expect(201);
  return { id: body.id, tenant, caller: createCaller(service.url, body.key) };
}
const estimateOf = async (caller: Caller, body: object = request): Promise<number> =>
  (await caller.post('/images?dry_run=true').send(body).expect(200)).body.estimate.high_micro_usd;
const budgetsOf = async (caller: Caller) => (await caller.get('/keys/self').expect(200)).body.budgets;

describe('a budget of a key', () => {
  it('refuses the request that does not fit with 402, its figures and no Retry-After', async () => {
    const { caller } = await keyWith([{ window: 'month', limit_micro_usd: 9_000 }]);
    const estimate = await estimateOf(caller);
    const first = await caller.generate(request);
    expect(first.cost).toMatchObject({ estimated: false, billing: 'charged' });
    const preview = await caller.post('/images?dry_run=true').send(request).expect(200);
    expect(preview.body.warnings).toEqual([
      expect.stringMatching(/budget of the month .* It would be refused now\.$/),
    ]);
    const { body, headers } = await caller.post('/images').send(request).expect(402);
    expect(headers).toMatchObject({ 'x-should-retry': 'false' });
    expect(headers['retry-after']).toBeUndefined();
    expect(body).toMatchObject({
      code: 'budget_exceeded',
      retryable: false,
      estimate_micro_usd: estimate,
      budget: {
        name: 'key_month',
        window: 'month',
        limit_micro_usd: 9_000,
        spent_micro_usd: first.cost.micro_usd,
        held_micro_usd: 0,
        resets_at: expect.stringMatching(/-01T00:00:00\.000Z$/),
      },
    });
    const [own] = await budgetsOf(caller);
    expect(own).toEqual({
      ...body.budget,
      soft: false,
      remaining_micro_usd: 9_000 - (first.cost.micro_usd ?? 0),
    });
  });

  it('shows its figures to the manager of the key, in the list and alone', async () => {
    const { id, tenant, caller } = await keyWith([{ window: 'month', limit_micro_usd: 90_000 }]);
    await keys.create({ tenant, name: 'without a budget' });
    await caller.generate(request);
    const manager = await keys.administrator(tenant);
    const [own] = await budgetsOf(caller);
    const { body: key } = await manager.get(`/keys/${id}`).expect(200);
    expect(key.spending).toEqual([own]);
    expect(key.budgets).toEqual([{ window: 'month', limit_micro_usd: 90_000, soft: false }]);
    const { body: list } = await manager.get('/keys').expect(200);
    const spendingOf = (name: string) =>
      list.data.find((each: { id: string; name: string }) => [each.id, each.name].includes(name))?.spending;
    expect(spendingOf(id)).toEqual([own]);
    expect(spendingOf('without a budget')).toEqual([]);
  });

  it('refuses a further paid call of a job, which holds its earlier call until that is settled', async () => {
    const { caller } = await keyWith([{ window: 'total', limit_micro_usd: 10_000 }]);
    const uncertain = { ...request, prompt: 'a red fox [studio:hang-up]', on_uncertain: 'retry' };
    const estimate = await estimateOf(caller, uncertain);
    const refused = async () =>
      (await scrape(service.url)).value('darkroom_budget_refusals_total', {
        owner: 'key',
        window: 'total',
      }) ?? 0;
    const before = await refused();
    const { status, error, attempts } = await caller.generate(uncertain);
    expect({ status, error }).toMatchObject({
      status: 'failed',
      error: { code: 'budget_exceeded', billing: 'possible' },
    });
    expect(attempts).toHaveLength(1);
    expect(await budgetsOf(caller)).toMatchObject([{ held_micro_usd: estimate, spent_micro_usd: 0 }]);
    expect(await refused()).toBe(before + 1);
  });

  it('refuses requests of /v1 with 402 in the form of the OpenAI API', async () => {
    const { caller } = await keyWith([{ window: 'total', limit_micro_usd: 0 }]);
    const { body, headers } = await caller.post('/v1/images/generations').send(request).expect(402);
    expect(body.error).toMatchObject({ code: 'budget_exceeded', type: 'invalid_request_error' });
    expect(headers['x-should-retry']).toBe('false');
    expect(headers['retry-after']).toBeUndefined();
  });

  it('refuses a request of unknown cost with cost_unknown, and only if it is hard', async () => {
    const unknown = {
      ...request,
      model: 'gpt-image-2.6-flare',
      quality: undefined,
      output_format: 'gif',
      frame_count: 2,
    };
    const { caller } = await keyWith([{ window: 'day', limit_micro_usd: 9_000_000 }]);
    expect((await caller.post('/images').send(unknown).expect(422)).body.code).toBe('cost_unknown');
    const soft = await keyWith([{ window: 'day', limit_micro_usd: 1, soft: true }]);
    const { images, cost } = await soft.caller.generate(unknown);
    expect(images).toMatchObject([{ content_type: 'image/gif' }]);
    expect(cost).toMatchObject({ billing: 'charged' });
  });

  it('is raised by an override until its time, which the audit log shows', async () => {
    const { id, tenant, caller } = await keyWith([{ window: 'day', limit_micro_usd: 100 }]);
    await caller.post('/images').send(request).expect(402);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const path = `/keys/${id}/budget-overrides`;
    const made = await keys.operator.post(path).send({ amount_micro_usd: 50_000, until }).expect(201);
    expect(made.body).toEqual({ object: 'budget_override', amount_micro_usd: 50_000, until, window: null });
    expect(await vi.waitUntil(async () => (await budgetsOf(caller))[0].limit_micro_usd === 50_100)).toBe(
      true,
    );
    await caller.submit(request);
    await keys.operator.post(path).send({ amount_micro_usd: 1, until: '2020-01-01T00:00:00Z' }).expect(422);
    await keys.operator
      .post('/keys/key_none/budget-overrides')
      .send({ amount_micro_usd: 1, until })
      .expect(404);
    await caller.post(path).send({ amount_micro_usd: 1, until }).expect(403);
    const log = await keys.operator.get(`/audit?tenant=${tenant}`).expect(200);
    expect(log.body.data.map(({ action }: { action: string }) => action)).toContain('budget.overridden');
  });

  it('reports its thresholds once by webhook, and 100 percent with the first refusal', async () => {
    const estimate = await estimateOf(service.acme);
    const { id, caller } = await keyWith([{ window: 'day', limit_micro_usd: Math.ceil(estimate * 1.2) }], {
      scopes: ['admin'],
    });
    const endpoint = await startEndpointServer();
    onTestFinished(endpoint.close);
    const received = endpoint.requests;
    const body = { url: `http://127.0.0.1:${endpoint.port}/hook`, events: ['budget.threshold'] };
    await caller.post('/webhooks/endpoints').send(body).expect(201);
    await caller.submit(request);
    await caller.post('/images').send(request).expect(402);
    await caller.post('/images').send(request).expect(402);
    await vi.waitFor(() => expect(received).toHaveLength(3), { timeout: 15_000 });
    const events = received.map((each) => JSON.parse(each.body));
    expect(events.map(({ data }) => data.threshold_percent).toSorted((a, b) => a - b)).toEqual([50, 80, 100]);
    for (const { type, data } of events) {
      expect(type).toBe('budget.threshold');
      expect(data).toMatchObject({ key_id: id, budget: { name: 'key_day', window: 'day' } });
    }
  });
});

describe('a budget at several instances', () => {
  it('holds for 200 racing requests with automatic quality at five instances, and its holds end at 0', async () => {
    const environment = await createEnvironment();
    onTestFinished(environment.remove);
    const instances = await Promise.all(
      [1, 2, 3, 4, 5].map((each) => startServiceIn(environment, each === 1 ? {} : { ROLES: 'api' })),
    );
    for (const instance of instances) onTestFinished(instance.close);
    const [first] = instances;
    if (!first) throw new Error('no instance');
    const body = { prompt: 'a fox' };
    const limit = 10 * (await estimateOf(first.acme, body)) + 1;
    const budgets = [{ window: 'month', limit_micro_usd: limit }];
    const { key } = await manageKeysOf(first.url).create({ tenant: 'acme', budgets });
    const callers = instances.map(({ url }) => createCaller(url, key));
    const [caller] = callers;
    if (!caller) throw new Error('no caller');
    const uses: number[] = [];
    let isDone = false;
    const sample = async () => {
      while (!isDone) {
        const [{ held_micro_usd, spent_micro_usd }] = await budgetsOf(caller);
        uses.push(held_micro_usd + spent_micro_usd);
      }
    };
    const sampling = sample();
    const responses = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => callers[i % 5]?.post('/images').send(body)),
    );
    const accepted = responses.flatMap((each) => (each?.status === 202 ? [each.body.id] : []));
    expect(responses.filter((each) => each?.status === 402)).toHaveLength(200 - accepted.length);
    expect(accepted.length).toBeGreaterThanOrEqual(10);
    const jobs = await Promise.all(accepted.map((id) => caller.ended(id)));
    isDone = true;
    await sampling;
    expect(Math.max(...uses)).toBeLessThanOrEqual(limit);
    expect(await budgetsOf(caller)).toMatchObject([
      { held_micro_usd: 0, spent_micro_usd: jobs.reduce((sum, { cost }) => sum + (cost.micro_usd ?? 0), 0) },
    ]);
  });
});
