import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { manageKeysOf } from '../support/managed-keys.ts';
import { connectMcp } from '../support/mcp-client.ts';
import { loadMcpClients, type McpClients, type Revision, type ToolResult } from '../support/mcp-clients.ts';
import { createEnvironment, imageCalls, type TestEnvironment } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

// Processes need seconds to start, on a busy machine many seconds.
vi.setConfig({ testTimeout: 90_000 });

const installed = await loadMcpClients();
/** The clients of tests that run. */
const clients = installed as McpClients;

let environment: TestEnvironment;
let api: ServiceProcess;
let worker: ServiceProcess;
const startApi = () => startServiceProcess({ ...environment.env, ROLES: 'api' });
beforeAll(async () => {
  if (!installed) return;
  environment = await createEnvironment();
  const env = { ...environment.env, ROLES: 'worker,webhooks' };
  [api, worker] = await Promise.all([startApi(), startServiceProcess(env)]);
});
afterAll(async () => {
  await Promise.all([api, worker].map((each) => each?.stop()));
  await environment?.remove();
});

const jobOf = ({ structuredContent }: Pick<ToolResult, 'structuredContent'>) =>
  structuredContent as unknown as ImageJobView;
const textOf = ({ content }: ToolResult) => content.map(({ text = '' }) => text).join('\n');

/** Returns the lines of a job in the ledger of the tenant. */
async function ledgerOf(jobId: string): Promise<{ job_id: string; micro_usd: number | null }[]> {
  const admin = await manageKeysOf(api.url).administrator('acme');
  const { text } = await admin.get('/usage/ledger').buffer(true).expect(200);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line)).filter(({ job_id }) => job_id === jobId);
}

describe.skipIf(!installed)('official clients of the Model Context Protocol', () => {
  it('SDK 1 gets the job, a link and a preview from one call, with progress and one entry in the ledger', async () => {
    const client = await clients.connectSdk1(api);
    const progress: unknown[] = [];
    const call = { name: 'generate_image', arguments: { prompt: 'A lynx [studio:latency=500]' } };
    const result = await client.callTool(call, undefined, {
      onprogress: (each: unknown) => progress.push(each),
    });
    expect(result.content.map(({ type }) => type)).toEqual(['text', 'resource_link', 'image']);
    expect(progress).not.toHaveLength(0);
    const { id, cost } = jobOf(result);
    expect(await api.acme.job(id)).toMatchObject({ status: 'succeeded', cost });
    expect(await ledgerOf(id)).toMatchObject([{ micro_usd: cost.micro_usd }]);
    expect(imageCalls(environment.studio, 'A lynx')).toHaveLength(1);
  });

  it('SDK 1 follows a task from its creation to its result', async () => {
    const client = await clients.connectSdk1(api);
    const call = { name: 'generate_image', arguments: { prompt: 'A badger [studio:latency=500]' } };
    const types: string[] = [];
    const results: ToolResult[] = [];
    for await (const message of client.experimental.tasks.callToolStream(call, undefined, {
      task: { ttl: 60_000 },
    })) {
      types.push(message.type);
      if (message.result) results.push(message.result);
    }
    expect(types[0]).toBe('taskCreated');
    expect(types.at(-1)).toBe('result');
    expect(results.map((result) => jobOf(result).status)).toEqual(['succeeded']);
    expect(imageCalls(environment.studio, 'A badger')).toHaveLength(1);
  });

  it('twenty repeats of a call with one idempotency key by three clients pay once', async () => {
    const prompt = `Twenty otters ${randomUUID()}`;
    const args = { prompt, idempotency_key: randomUUID(), preview: false };
    const sdk1 = await clients.connectSdk1(api);
    const legacy = await connectMcp(api, { negotiation: 'legacy' });
    const modern = await connectMcp(api, { negotiation: 'auto' });
    const callers = [sdk1, legacy, modern].map(
      (client) => () => client.callTool({ name: 'generate_image', arguments: args }) as Promise<ToolResult>,
    );
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => callers[i % callers.length]?.()));
    const ids = new Set(results.map((result) => jobOf(result ?? { structuredContent: {} }).id));
    expect(ids.size).toBe(1);
    expect(imageCalls(environment.studio, prompt)).toHaveLength(1);
    expect(await ledgerOf([...ids].join())).toHaveLength(1);
  });

  it('an agent whose budget is exhausted reads that it must stop, and nothing is paid', async () => {
    const keys = manageKeysOf(api.url);
    const budgets = [{ window: 'month', limit_micro_usd: 1 }];
    const { key } = await keys.create({ tenant: 'acme', scopes: ['images:write', 'images:read'], budgets });
    const client = await clients.connectSdk1({ url: api.url, key });
    const result = await client.callTool({ name: 'generate_image', arguments: { prompt: 'A dear whale' } });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(
      /^budget_exceeded: .* budget of the month of the API key has 1 micro-USD left/,
    );
    expect(textOf(result)).toContain('Stop creating images and report this to the user');
    expect(textOf(result)).toMatch(/until \d{4}-\d\d-01T00:00:00/);
    expect(result.structuredContent).toMatchObject({ error: { code: 'budget_exceeded', retryable: false } });
    expect(imageCalls(environment.studio, 'A dear whale')).toHaveLength(0);
  });

  it.each<Revision>(['2025-11-25', '2026-07-28'])(
    'a task of %s survives the process that created it, and is paid once',
    async (revision) => {
      const prompt = `A survivor of ${revision} [studio:latency=3000]`;
      const doomed = await startApi();
      const session = await clients.openTasks(doomed, revision);
      const execution = await session.start({ prompt });
      const reference = execution.serializeReference();
      await doomed.stop('SIGKILL');

      const next = await clients.openTasks(api, revision);
      const result = await next.resultOf(await next.resume(reference));
      const { id, status } = jobOf(result);
      expect(status).toBe('succeeded');
      expect(await api.acme.job(id)).toMatchObject({ attempts: [{ state: 'stored' }] });
      expect(imageCalls(environment.studio, prompt)).toHaveLength(1);
      expect(await ledgerOf(id)).toHaveLength(1);
    },
  );
});
