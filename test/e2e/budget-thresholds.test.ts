import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Caller, createCaller } from '../support/caller.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';
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
const estimateOf = async (caller: Caller, body: object = request): Promise<number> =>
  (await caller.post('/images?dry_run=true').send(body).expect(200)).body.estimate.high_micro_usd;

/** Creates a key of a new tenant with a budget, and an endpoint for its thresholds. */
async function watchedKey(budget: { window: string; limit_micro_usd: number; soft?: boolean }) {
  const tenant = `watched-${++tenants}`;
  const { id, key } = await keys.create({ tenant, budgets: [budget], scopes: ['admin'] });
  const caller = createCaller(service.url, key);
  const endpoint = await startEndpointServer();
  onTestFinished(endpoint.close);
  const url = `http://127.0.0.1:${endpoint.port}/hook`;
  await caller
    .post('/webhooks/endpoints')
    .send({ url, events: ['budget.threshold'] })
    .expect(201);
  const dataOf = ({ body }: { body: string }) => JSON.parse(body).data;
  return {
    ...{ id, tenant, caller },
    /** Waits for a number of events, and returns their shares with the limit and the money in use. */
    async shares(count: number) {
      await vi.waitFor(() => expect(endpoint.requests).toHaveLength(count), { timeout: 15_000 });
      return endpoint.requests
        .map(dataOf)
        .map(({ threshold_percent, budget }) => ({
          percent: threshold_percent,
          limit: budget.limit_micro_usd,
          used: budget.spent_micro_usd + budget.held_micro_usd,
        }))
        .sort((a, b) => a.limit - b.limit || a.percent - b.percent);
    },
  };
}

describe('a threshold of a budget', () => {
  it('is reported when it is reached, also after the refusal of a request that is too large', async () => {
    const estimate = await estimateOf(service.acme);
    const limit = Math.ceil(estimate * 1.7);
    const { caller, shares } = await watchedKey({ window: 'total', limit_micro_usd: limit });
    await caller
      .post('/images')
      .send({ ...request, n: 4 })
      .expect(402);
    expect(await shares(1)).toEqual([{ percent: 100, limit, used: 0 }]);
    await caller.submit(request);
    expect((await shares(2)).map(({ percent }) => percent)).toEqual([50, 100]);
  });

  it('is reported for the limit that an override and then a change put in force', async () => {
    const estimate = await estimateOf(service.acme);
    const limit = Math.ceil(estimate * 1.1);
    const { id, caller, shares } = await watchedKey({ window: 'total', limit_micro_usd: limit });
    await caller.generate(request);
    await caller
      .post('/images')
      .send({ ...request, n: 2 })
      .expect(402);
    expect((await shares(3)).map(({ percent }) => percent)).toEqual([50, 80, 100]);
    const limitIs = (wanted: number) =>
      vi.waitUntil(async () => (await caller.get('/keys/self')).body.budgets[0].limit_micro_usd === wanted);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const raise = estimate * 10;
    await keys.operator
      .post(`/keys/${id}/budget-overrides`)
      .send({ amount_micro_usd: raise, until })
      .expect(201);
    await limitIs(limit + raise);
    await caller.generate(request);
    await keys.operator
      .patch(`/keys/${id}`)
      .send({ budgets: [{ window: 'total', limit_micro_usd: 4 * estimate }] })
      .expect(200);
    // A change of the budgets ends the raise.
    await limitIs(4 * estimate);
    await caller.submit(request);
    expect((await shares(4)).at(-1)).toMatchObject({ percent: 50, limit: 4 * estimate });
  });

  it('is reported when the settlement of a charge reaches it', async () => {
    const { tenant, caller, shares } = await watchedKey({
      window: 'day',
      limit_micro_usd: 100_000,
      soft: true,
    });
    const job = await caller.generate({ ...request, prompt: 'a fox [studio:hang-up]', on_uncertain: 'fail' });
    await keys.operator
      .post(`/images/${job.id}/settle?tenant=${tenant}`)
      .send({ micro_usd: 150_000 })
      .expect(200);
    expect(await shares(3)).toEqual(
      [50, 80, 100].map((percent) => ({ percent, limit: 100_000, used: 150_000 })),
    );
  });
});
