import { parseList } from 'structured-headers';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { messagesOf, type RpcRequest, type RpcResponse } from '../support/mcp-requests.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

/** Posts a body to `/mcp` as a client of 2025-03-26, whose messages may form a batch. */
const post = (body: string, key: string = testKeys.acme) =>
  fetch(new URL('/mcp', service.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body,
  });

const batchOf = (requests: readonly RpcRequest[]) =>
  JSON.stringify(requests.map((request, id) => ({ jsonrpc: '2.0', id, ...request })));

const call = (name: string, args: Record<string, unknown>): RpcRequest => ({
  method: 'tools/call',
  params: { name, arguments: args },
});

type Message = RpcResponse & { readonly id: number };

/** Returns the code of the refusal in a response, or `served`. */
function codeOf({ result, error }: Message): string {
  const refusal = error?.data ?? (result?.structuredContent as { error?: unknown } | undefined)?.error;
  return (refusal as { code?: string } | undefined)?.code ?? 'served';
}

describe('batches of JSON-RPC', () => {
  it('count each of their requests against the limit, and refuse the rest with its code and wait', async () => {
    const limits = { requests_per_minute: 3 };
    const { key } = await keys.create({ tenant: 'batches', limits });
    const jobs = Array.from({ length: 20 }, (_, no) =>
      call('generate_image', { prompt: `A batch of foxes ${no}`, wait_s: 0, preview: false }),
    );
    const response = await post(batchOf(jobs), key);
    const [state] = parseList(response.headers.get('ratelimit') ?? '');
    expect(state?.[1].get('r')).toBe(0);
    const messages = ((await messagesOf(response)) as Message[]).toSorted((a, b) => a.id - b.id);
    expect(messages.map(codeOf)).toEqual([
      ...Array(3).fill('served'),
      ...Array(17).fill('too_many_requests'),
    ]);
    expect(messages.at(-1)?.result?.structuredContent).toMatchObject({
      error: { retryable: true, retry_after_s: expect.any(Number), 'violated-policies': ['key-requests'] },
    });
    const { body: page } = await keys.callerOf(await keys.create({ tenant: 'batches' })).get('/images');
    expect(page.data).toHaveLength(3);
  });

  it('refuse every other method above the limit as an error of JSON-RPC', async () => {
    const { key } = await keys.create({ tenant: 'batches', limits: { requests_per_minute: 2 } });
    const requests = ['tools/list', 'ping', 'tools/list', 'tasks/list'];
    const response = await post(batchOf(requests.map((method) => ({ method, params: {} }))), key);
    const messages = ((await messagesOf(response)) as Message[]).toSorted((a, b) => a.id - b.id);
    expect(messages.map(codeOf)).toEqual(['served', 'served', 'too_many_requests', 'too_many_requests']);
  });

  it('get a response to a request that a notification of the same batch cancels', async () => {
    const cancellation = { method: 'notifications/cancelled', params: { requestId: 1 } };
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const response = await post(JSON.stringify([ping, { jsonrpc: '2.0', ...cancellation }]));
    expect(await messagesOf(response)).toMatchObject([{ id: 1, result: {} }]);
  });

  it('are refused before their messages are read if there are more than 100', async () => {
    const { key } = await keys.create({ tenant: 'batches', limits: { requests_per_minute: 500 } });
    const messages = (count: number) => Array.from({ length: count }, () => ({ method: 'ping', params: {} }));
    const refused = await post(batchOf(messages(101)), key);
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { id: null, error: { code: -32600 } },
    ]);
    const served = await post(batchOf(messages(100)), key);
    expect((await messagesOf(served)).length).toBe(100);
    const [state] = parseList(served.headers.get('ratelimit') ?? '');
    // The refused batch counted as one request.
    expect(state?.[1].get('r')).toBeGreaterThanOrEqual(500 - 101);
  });
});

describe('malformed messages to /mcp', () => {
  it('are refused as invalid requests or invalid parameters of JSON-RPC', async () => {
    const initialize = (params: unknown) =>
      JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'initialize', params });
    const known = {
      protocolVersion: '2025-03-26',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    };
    const codes: [string, number, number | null][] = [
      ...['', 'null', '5', '"text"', '[]', '[null]', '{}'].map((body): [string, number, null] => [
        body,
        -32600,
        null,
      ]),
      ...[undefined, 5, {}, { ...known, protocolVersion: null }, { ...known, capabilities: 5 }].map(
        (params): [string, number, number] => [initialize(params), -32602, 7],
      ),
      [`[${initialize({ ...known, protocolVersion: 5 })}]`, -32602, 7],
    ];
    for (const [body, code, id] of codes) {
      const response = await post(body);
      expect([response.status, await response.json()], body).toMatchObject([400, { id, error: { code } }]);
    }
    expect((await post(initialize(known))).status).toBe(200);
  });
});
