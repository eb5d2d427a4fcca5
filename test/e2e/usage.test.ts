import supertest from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { withUsage } from '../../src/compose/usage-tools.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { parseBill } from '../../src/usecases/usage/parse-bill.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

interface Job {
  id: string;
  status: string;
  cost: { micro_usd: number | null; billing: string };
  usage: { total_tokens: number } | null;
  attempts: { provider_request_id: string | null }[];
}

let service: TestService;
const today = new Date().toISOString().slice(0, 10);
const admin = (path: string) =>
  supertest(service.url).get(path).set('authorization', `Bearer ${testKeys.admin}`);

async function finished(prompt: string, fields: object = {}): Promise<Job> {
  const response = await supertest(service.url)
    .post('/images')
    .set('authorization', `Bearer ${testKeys.acme}`)
    .set('prefer', 'wait=30')
    .send({ prompt, model: 'gpt-image-2', quality: 'low', size: '1024x1024', ...fields });
  expect(response.status).toBe(200);
  return response.body as Job;
}

async function linesOf(query: string): Promise<Record<string, unknown>[]> {
  const response = await admin(`/usage/ledger?tenant=acme&${query}`).buffer(true);
  expect(response.headers['content-type']).toContain('application/x-ndjson');
  return response.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

let succeeded: Job;
let uncertain: Job;
beforeAll(async () => {
  service = await startService({ USAGE_METADATA_KEYS: 'customer' });
  succeeded = await finished('A lighthouse', { metadata: { customer: 'c1' } });
  uncertain = await finished('A lighthouse [studio:hang-up]', { on_uncertain: 'fail' });
  return service.close;
});

describe('usage over HTTP', () => {
  it('has the sums over the jobs, by the dimensions of the query', async () => {
    const total = await admin(`/usage?tenant=acme&from=${today}`);
    expect(total.body).toEqual({
      object: 'list',
      data: [
        {
          jobs: 2,
          images: 1,
          failed: 1,
          micro_usd: succeeded.cost.micro_usd,
          micro_usd_possible: expect.any(Number),
          unknown_cost_jobs: 1,
          tokens: succeeded.usage?.total_tokens,
        },
      ],
    });
    const grouped = await admin(
      `/usage?tenant=acme&from=${today}&group_by=day,model,key,provider,metadata.customer`,
    );
    expect(grouped.body.data).toHaveLength(2);
    expect(grouped.body.data).toContainEqual(
      expect.objectContaining({
        day: today,
        model: 'gpt-image-2',
        key_id: expect.any(String),
        provider: 'openai',
        metadata: { customer: 'c1' },
        jobs: 1,
      }),
    );
  });

  it('is JSON if the caller prefers it to CSV', async () => {
    const response = await admin('/usage').set('accept', 'text/csv;q=0.5, application/json');
    expect(response.headers['content-type']).toContain('application/json');
  });

  it('is CSV if the caller accepts it', async () => {
    const response = await admin(`/usage?tenant=acme&from=${today}&group_by=day,metadata.customer`).set(
      'accept',
      'text/csv',
    );
    expect(response.headers['content-type']).toContain('text/csv');
    const [head, ...rows] = response.text.trim().split('\r\n');
    expect(head).toBe(
      'day,metadata.customer,jobs,images,failed,micro_usd,micro_usd_possible,unknown_cost_jobs,tokens',
    );
    expect(rows).toContainEqual(
      expect.stringMatching(new RegExp(`^${today},c1,1,1,0,${succeeded.cost.micro_usd},0,0,`)),
    );
  });

  it.each([
    ['group_by=metadata.other', '/query/group_by'],
    ['group_by=color', '/query/group_by'],
    ['from=yesterday', '/query/from'],
    ['to=2026-02-30', '/query/to'],
    ['from=2026-11-02&to=2026-11-02', '/query/to'],
  ])('refuses ?%s with a pointer', async (query, pointer) => {
    const response = await admin(`/usage?${query}`);
    expect(response.status).toBe(422);
    expect(response.body.errors[0].pointer).toBe(pointer);
  });

  it('is for the scope admin, and only the operator may name another tenant', async () => {
    for (const path of ['/usage', '/usage/ledger']) {
      const response = await supertest(service.url).get(path).set('authorization', `Bearer ${testKeys.acme}`);
      expect(response.status).toBe(403);
    }
    expect((await admin('/usage?tenant=other')).body.data).toEqual([]);
  });
});

describe('the ledger over HTTP', () => {
  it('has one line for each paid attempt with the fields of the contract', async () => {
    const lines = await linesOf(`from=${today}`);
    expect(lines).toHaveLength(2);
    expect(lines.find(({ job_id }) => job_id === succeeded.id)).toEqual({
      id: `${succeeded.id}.1`,
      job_id: succeeded.id,
      attempt: 1,
      kind: 'generate',
      key_id: expect.any(String),
      model: 'gpt-image-2',
      provider: 'openai',
      state: 'stored',
      billing: 'charged',
      micro_usd: succeeded.cost.micro_usd,
      micro_usd_possible: null,
      provider_request_id: succeeded.attempts[0]?.provider_request_id,
      at: expect.any(String),
    });
    expect(await linesOf('from=2026-01-01&to=2026-01-02')).toEqual([]);
  });
});

describe('the settlement of a possible charge', () => {
  const settle = (id: string, body: object, key: string = testKeys.admin) =>
    supertest(service.url)
      .post(`/images/${id}/settle?tenant=acme`)
      .set('authorization', `Bearer ${key}`)
      .send(body);

  it('reconciles a bill with the ledger, and counts the amount everywhere once', async () => {
    const config = loadConfig({ ...service.env }, 'tool');
    const quiet = createLogger({ level: 'silent', pretty: false });
    const rows = [
      'request_id,timestamp,model,micro_usd',
      `${succeeded.attempts[0]?.provider_request_id},${new Date().toISOString()},gpt-image-2,${succeeded.cost.micro_usd}`,
      `req_lost,${new Date().toISOString()},gpt-image-2,5801`,
    ];
    const compared = await withUsage(config, quiet, (tools) =>
      tools.reconcileBill(parseBill(rows.join('\n')), { asOfMs: Date.now() }),
    );
    expect(compared.findings).toEqual([]);
    expect(compared.settles).toMatchObject([{ call: { jobId: uncertain.id }, microUsd: 5_801 }]);

    const settled = await settle(uncertain.id, { micro_usd: 5_801 });
    expect(settled.status).toBe(200);
    expect(settled.body.cost).toMatchObject({ micro_usd: 5_801, billing: 'charged' });
    expect(settled.body.error).toMatchObject({ billing: 'charged' });
    expect((await settle(uncertain.id, { micro_usd: 5_801 })).status).toBe(200);
    const total = await admin(`/usage?tenant=acme&from=${today}`);
    expect(total.body.data[0]).toMatchObject({
      micro_usd: (succeeded.cost.micro_usd ?? 0) + 5_801,
      micro_usd_possible: 0,
      unknown_cost_jobs: 0,
    });
    const line = (await linesOf(`from=${today}`)).find(({ job_id }) => job_id === uncertain.id);
    expect(line).toMatchObject({ billing: 'charged', micro_usd: 5_801 });
  });

  it('is refused with 409 if the cost is known, 422 for a bad amount, 403 without the scope', async () => {
    const refused = await settle(succeeded.id, { micro_usd: 1 });
    expect([refused.status, refused.body.code]).toEqual([409, 'nothing_to_settle']);
    expect((await settle(succeeded.id, { micro_usd: -1 })).status).toBe(422);
    expect((await settle(succeeded.id, { micro_usd: 1 }, testKeys.acme)).status).toBe(403);
    expect((await settle('img_unknown', { micro_usd: 1 })).status).toBe(404);
  });
});
