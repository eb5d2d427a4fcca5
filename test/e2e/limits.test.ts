import { parseList } from 'structured-headers';
import { beforeAll, describe, expect, it } from 'vitest';
import { jobThat } from '../support/caller.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService({ WORKER_CONCURRENCY: '4' });
  keys = manageKeysOf(service.url);
  return service.close;
});

let tenants = 0;

/** Creates a key of a new tenant with the given limits. */
async function limited(limits: Record<string, number>) {
  tenants += 1;
  const tenant = `limited${tenants}`;
  const { body } = await keys.operator
    .post('/keys')
    .send({ tenant, name: 'limited', scopes: ['images:write', 'images:read'], limits })
    .expect(201);
  return { tenant, key: body, caller: keys.callerOf(body) };
}

const parsed = (header = '') =>
  parseList(header).map(([name, parameters]) => ({ name, ...Object.fromEntries(parameters) }));

describe('the limit of requests per minute', () => {
  it('shows the state of the limit on every response, refuses the rest, and lets a request pass after Retry-After', async () => {
    const { caller } = await limited({ requests_per_minute: 30 });
    const first = await caller.get('/images').expect(200);
    expect(parsed(first.headers['ratelimit-policy'])).toEqual([{ name: 'key-requests', q: 30, w: 60 }]);
    expect(parsed(first.headers.ratelimit)).toEqual([{ name: 'key-requests', r: 29, t: 2 }]);
    // A refused scope counts as well.
    await caller.get('/webhooks/endpoints').expect(403);
    let refused = await caller.get('/images');
    while (refused.status === 200) refused = await caller.get('/images');
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({
      code: 'too_many_requests',
      retryable: true,
      'violated-policies': ['key-requests'],
    });
    const retryAfter = Number(refused.headers['retry-after']);
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(2);
    expect(parsed(refused.headers.ratelimit)).toEqual([{ name: 'key-requests', r: 0, t: retryAfter }]);
    const until = Date.now() + retryAfter * 1000;
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(until);
    await caller.get('/images').expect(200);
  });

  it('states a correct wait in every refusal of a flood of ten times the limit, and refuses no other key of the tenant', async () => {
    const limit = 60;
    const { tenant, caller } = await limited({ requests_per_minute: limit });
    const other = keys.callerOf(await keys.create({ tenant, scopes: ['images:read'] }));
    const startMs = Date.now();
    const flood = Array.from({ length: 20 }, async () => {
      const responses = [];
      for (let no = 0; no < (10 * limit) / 20; no += 1) responses.push(await caller.get('/images'));
      return responses;
    });
    for (let no = 0; no < 20; no += 1) await other.get('/images').expect(200);
    const responses = (await Promise.all(flood)).flat();
    const [passed, refused] = [200, 429].map((status) => responses.filter((each) => each.status === status));
    expect((passed?.length ?? 0) + (refused?.length ?? 0)).toBe(10 * limit);
    // One more request becomes possible in every second of the flood.
    const mostPassed = limit + Math.ceil((Date.now() - startMs) / 1000);
    expect(passed?.length).toBeGreaterThanOrEqual(limit);
    expect(passed?.length).toBeLessThanOrEqual(mostPassed);
    for (const { headers } of responses) {
      expect(parsed(headers['ratelimit-policy'])).toEqual([{ name: 'key-requests', q: limit, w: 60 }]);
    }
    const states = refused?.map(({ headers }) => [parsed(headers.ratelimit), headers['retry-after']]);
    for (const state of states ?? []) expect(state).toEqual([[{ name: 'key-requests', r: 0, t: 1 }], '1']);
    const until = Date.now() + 1_000;
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(until);
    await caller.get('/images').expect(200);
  });

  it('refuses a request of /v1 with 429, Retry-After and the headers of OpenAI before a job exists', async () => {
    const { caller } = await limited({ requests_per_minute: 2 });
    const models = await caller.get('/v1/models').expect(200);
    expect(models.headers).toMatchObject({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': '30s',
    });
    await caller.get('/v1/models').expect(200);
    const refused = await caller.post('/v1/images/generations').send({ prompt: 'A fox' }).expect(429);
    expect(refused.body.error).toMatchObject({ code: 'too_many_requests', type: 'rate_limit_error' });
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(refused.headers['x-ratelimit-remaining-requests']).toBe('0');
    expect(refused.headers['x-should-retry']).toBeUndefined();
  });

  it('applies the limit of a tenant to all of its keys, within a second after a change', async () => {
    const { tenant, caller } = await limited({});
    const response = await caller.get('/images').expect(200);
    expect(response.headers.ratelimit).toBeUndefined();
    await keys.operator.patch(`/tenants/${tenant}`).send({ limits: { requests_per_minute: 1 } });
    await expect.poll(async () => (await caller.get('/images')).status, { timeout: 2_000 }).toBe(429);
  });
});

describe('the limits of jobs', () => {
  it('refuses a job above the limit of waiting jobs with 429, and accepts it after a job has ended', async () => {
    const { caller } = await limited({ queued_jobs: 1, concurrent_jobs: 1 });
    const running = await caller.submit({ prompt: 'Runs [studio:latency=3000]' });
    await jobThat(caller, running.id, (job) => job.status === 'running');
    await caller.submit({ prompt: 'Waits' });
    const refused = await caller.post('/images').send({ prompt: 'Too many' }).expect(429);
    expect(refused.body).toMatchObject({
      code: 'too_many_requests',
      'violated-policies': ['key-queued-jobs'],
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(parsed(refused.headers['ratelimit-policy'])).toEqual([
      { name: 'key-queued-jobs', q: 1, qu: 'queued-jobs' },
    ]);
    await caller.ended(running.id);
    await expect
      .poll(async () => (await caller.post('/images').send({ prompt: 'Fits' })).status, { timeout: 10_000 })
      .toBe(202);
  });

  it('runs one job of a key after the other, and jobs of another key beside them', async () => {
    const { tenant, caller } = await limited({ concurrent_jobs: 1 });
    const other = keys.callerOf(
      (
        await keys.operator
          .post('/keys')
          .send({ tenant, name: 'other', scopes: ['images:write', 'images:read'] })
      ).body,
    );
    const first = await caller.submit({ prompt: 'First [studio:latency=2000]' });
    const second = await caller.submit({ prompt: 'Second', priority: 'high' });
    await jobThat(caller, first.id, (job) => job.status === 'running');
    const beside = await other.submit({ prompt: 'Beside', priority: 'low' });
    await other.ended(beside.id);
    expect((await caller.job(second.id)).status).toBe('queued');
    const [one, two] = [await caller.ended(first.id), await caller.ended(second.id)];
    expect(Date.parse(two.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(one.finished_at ?? ''));
  });
});
