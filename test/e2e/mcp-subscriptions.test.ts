import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { messagesOf, modernRequester, openModern } from '../support/mcp-requests.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: {
    readonly taskId?: string;
    readonly status?: string;
    readonly statusMessage?: string;
    readonly notifications?: { readonly taskIds?: readonly string[] };
    readonly _meta: Record<string, unknown>;
    readonly result?: { readonly structuredContent: { readonly id: string } };
  };
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number };
}

/** Listens to tasks until the stream ends. Returns the status and the messages. */
async function listen(taskIds: readonly string[], options?: Parameters<typeof openModern>[2]) {
  const params = { notifications: { taskIds } };
  const response = await openModern(
    service,
    { id: 'sub-1', method: 'subscriptions/listen', params },
    options,
  );
  return { status: response.status, messages: (await messagesOf(response)) as Message[] };
}

async function startTask(prompt: string): Promise<string> {
  const { result } = await modernRequester(service)('tools/call', {
    name: 'generate_image',
    arguments: { prompt },
  });
  return (result as unknown as { taskId: string }).taskId;
}

describe('subscriptions to tasks', () => {
  it('send the state of a task at once and every change until its result, then end', async () => {
    const taskId = await startTask('A followed tern [studio:latency=800]');
    const { status, messages } = await listen([taskId]);
    expect(status).toBe(200);
    const [acknowledged, ...rest] = messages;
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 'sub-1' };
    expect(acknowledged).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { taskIds: [taskId] }, _meta },
    });
    const end = rest.pop();
    expect(end).toMatchObject({ id: 'sub-1', result: { resultType: 'complete', _meta } });
    expect(
      rest.every(({ method, params }) => method === 'notifications/tasks' && params?.taskId === taskId),
    ).toBe(true);
    expect(rest[0]?.params).toMatchObject({ status: 'working', _meta });
    const got = await modernRequester(service)('tasks/get', { taskId });
    const { resultType, _meta: ignored, ...task } = got.result ?? {};
    const { _meta: subscription, ...last } = rest.at(-1)?.params ?? {};
    expect([resultType, subscription]).toEqual(['complete', _meta]);
    // Links are signed anew for every response.
    expect(withoutLinks(last)).toEqual(withoutLinks(task));
    expect(last).toMatchObject({ status: 'completed' });
  });

  it('follow several tasks, and acknowledge neither unknown tasks nor those of another tenant', async () => {
    const ids = await Promise.all([startTask('First'), startTask('Second [studio:moderation]')]);
    const { messages } = await listen([...ids, 'img_01AAAAAAAAAAAAAAAAAAAAAAAA', 'not an id']);
    expect(messages[0]?.params?.notifications).toEqual({ taskIds: ids });
    const ended = messages.filter(({ params }) => params?.status === 'completed');
    expect(ended.map(({ params }) => params?.taskId).toSorted()).toEqual(ids.toSorted());

    const foreign = await listen(ids, { key: testKeys.other });
    expect(foreign.messages).toHaveLength(2);
    expect(foreign.messages[0]?.params?.notifications).toEqual({});
    expect(JSON.stringify(foreign.messages)).not.toContain(ids[0]);
  });

  it('report the cancellation of a task', async () => {
    const taskId = await startTask('A followed wall [studio:latency=20000]');
    const listening = listen([taskId]);
    await modernRequester(service)('tasks/cancel', { taskId });
    const { messages } = await listening;
    expect(messages.at(-2)?.params).toMatchObject({ taskId, status: 'cancelled' });
  });

  it('count as long polls until they end', async () => {
    const narrow = await startService({ MAX_OPEN_STREAMS: '1' });
    onTestFinished(narrow.close);
    const { id } = await narrow.acme.submit({ prompt: 'A followed heron [studio:hang]' });
    const request = { method: 'subscriptions/listen', params: { notifications: { taskIds: [id] } } };
    const first = await openModern(narrow, request);
    expect(await messagesOf(await openModern(narrow, request))).toMatchObject([
      { error: { code: -32603, message: 'Subscription limit reached' } },
    ]);
    await narrow.acme.post(`/images/${id}/cancel`).expect(200);
    const ended = { result: { resultType: 'complete' } };
    expect((await messagesOf(first)).at(-1)).toMatchObject(ended);
    expect((await messagesOf(await openModern(narrow, request))).at(-1)).toMatchObject(ended);
  });

  it('are refused for a client that does not declare the extension', async () => {
    const undeclared = { declaresTasks: false };
    const { status, messages } = await listen(['img_01AAAAAAAAAAAAAAAAAAAAAAAA'], undeclared);
    const requiredCapabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
    expect([status, messages]).toMatchObject([
      400,
      [{ id: 'sub-1', error: { code: -32021, data: { requiredCapabilities } } }],
    ]);
  });
});

const linkFields = ['url', 'url_expires_at', 'uri', 'text', 'statusMessage'];
const withoutLinks = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, each) => (linkFields.includes(key) ? undefined : each)));
