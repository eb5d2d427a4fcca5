import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { legacyRequester, type McpRequester, modernRequester } from '../support/mcp-requests.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.close());

interface Task {
  readonly taskId: string;
  readonly status: string;
  readonly statusMessage: string;
  readonly result?: ToolResult;
}
interface ToolResult {
  readonly structuredContent: ImageJobView;
  readonly isError?: boolean;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}

const generate = (prompt: string, more: Record<string, unknown> = {}) => ({
  name: 'generate_image',
  arguments: { prompt, ...more },
});
const taskOf = ({ result }: { result?: Record<string, unknown> }) => result as unknown as Task;
const unknownId = 'img_01AAAAAAAAAAAAAAAAAAAAAAAA';

/** Polls a task until it has ended. */
async function ended(request: McpRequester, taskId: string): Promise<Task> {
  return vi.waitFor(
    async () => {
      const task = taskOf(await request('tasks/get', { taskId }));
      expect(task.status).not.toBe('working');
      return task;
    },
    { timeout: 30_000, interval: 100 },
  );
}

describe('the tasks extension of 2026-07-28', () => {
  it('is announced by server/discover', async () => {
    const { result } = await modernRequester(service)('server/discover');
    expect(result).toMatchObject({
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
    });
    expect(result?.capabilities).not.toHaveProperty('tasks');
  });

  it('turns a call into a task that is the job, and the task ends with the result of the tool', async () => {
    const request = modernRequester(service);
    const created = await request('tools/call', generate('A tern [studio:latency=500]'));
    const { taskId } = taskOf(created);
    expect(created.result).toMatchObject({
      resultType: 'task',
      taskId: expect.stringMatching(/^img_/),
      status: 'working',
      statusMessage: expect.any(String),
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lastUpdatedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      ttlMs: expect.any(Number),
      pollIntervalMs: 2_000,
    });
    expect(created.result).not.toHaveProperty('content');
    expect((await service.acme.job(taskId)).id).toBe(taskId);

    const task = await ended(request, taskId);
    expect(task).toMatchObject({ resultType: 'complete', taskId, status: 'completed' });
    expect(task.result).toMatchObject({
      resultType: 'complete',
      isError: false,
      structuredContent: { id: taskId },
    });
    const job = await service.acme.job(taskId);
    expect(job).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
    expect(task.result?.structuredContent.cost).toEqual(job.cost);
    expect(imageCalls(service.studio, 'A tern')).toHaveLength(1);
  });

  it('never appears in the response to a request that does not declare it', async () => {
    const request = modernRequester(service, { declaresTasks: false });
    const args = generate('A plain gull [studio:latency=1000]', { wait_s: 0 });
    const { result } = await request('tools/call', args);
    expect(result).toMatchObject({ resultType: 'complete', structuredContent: { object: 'image_job' } });
    const { id } = (result as unknown as ToolResult).structuredContent;
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const refused = await request(method, { taskId: id, inputResponses: {} });
      expect(refused).toMatchObject({
        status: 400,
        error: {
          code: -32021,
          data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
        },
      });
    }
  });

  it('needs no task for a job that ends during the wait that the agent chose', async () => {
    const { result } = await modernRequester(service)('tools/call', generate('A quick wren', { wait_s: 30 }));
    expect(result).toMatchObject({ resultType: 'complete', structuredContent: { status: 'succeeded' } });
  });

  it('reports a failed job as completed with an error of the tool', async () => {
    const request = modernRequester(service);
    const { taskId } = taskOf(await request('tools/call', generate('A raven [studio:moderation]')));
    const task = await ended(request, taskId);
    expect(task).toMatchObject({ status: 'completed', result: { isError: true } });
    expect(task.result?.content[0]?.text).toContain('moderation_blocked');
  });

  it('acknowledges a cancel and an update, and the task says what was charged', async () => {
    const request = modernRequester(service);
    const created = await request('tools/call', generate('A wall [studio:latency=20000]'));
    const { taskId } = taskOf(created);
    const updated = await request('tasks/update', { taskId, inputResponses: { name: {} } });
    expect(updated.result).toMatchObject({ resultType: 'complete' });
    const acknowledged = await request('tasks/cancel', { taskId });
    expect(acknowledged.result).toMatchObject({ resultType: 'complete' });
    const task = await ended(request, taskId);
    expect(task.status).toBe('cancelled');
    expect(task.statusMessage).toMatch(/Cost: /);
    // A second cancel is acknowledged as well, and changes nothing.
    expect((await request('tasks/cancel', { taskId })).error).toBeUndefined();
  });

  it('refuses tasks of another tenant exactly like unknown ones', async () => {
    const { taskId } = taskOf(
      await modernRequester(service)('tools/call', generate('A secret [studio:latency=300]')),
    );
    const foreign = modernRequester(service, { key: testKeys.other });
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const [refused, unknown] = await Promise.all(
        [taskId, unknownId].map((id) => foreign(method, { taskId: id, inputResponses: {} })),
      );
      expect(refused?.error).toEqual(unknown?.error);
      expect(refused?.error?.code).toBe(-32602);
    }
  });

  it('says that an erased task is gone', async () => {
    const request = modernRequester(service);
    const { taskId } = taskOf(await request('tools/call', generate('Gone')));
    await ended(request, taskId);
    await service.acme.delete(`/images/${taskId}`).expect(204);
    expect((await request('tasks/get', { taskId })).error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(/^erased: /),
    });
  });
});

describe('tasks of 2025-11-25', () => {
  const asTask = (prompt: string) => ({ ...generate(prompt), task: { ttl: 60_000 } });

  it('are announced in the handshake, and by the tools that create jobs', async () => {
    const request = legacyRequester(service);
    const { result } = await request('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '1.0.0' },
    });
    expect(result).toMatchObject({
      protocolVersion: '2025-11-25',
      capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
    });
    const listed = (await request('tools/list')).result as unknown as {
      tools: { name: string; execution?: { taskSupport?: string } }[];
    };
    const supporting = listed.tools.filter(({ execution }) => execution?.taskSupport === 'optional');
    expect(supporting.map(({ name }) => name)).toEqual(['generate_image', 'edit_image']);
  });

  it('are created on request, and tasks/result waits for the end', async () => {
    const request = legacyRequester(service);
    const created = await request('tools/call', asTask('A stork [studio:latency=1000]'));
    expect(created.result).toMatchObject({
      task: { status: 'working', ttl: expect.any(Number), pollInterval: 2_000 },
    });
    const { taskId } = (created.result as unknown as { task: Task }).task;
    expect((await request('tasks/get', { taskId })).result).toMatchObject({ taskId, status: 'working' });
    const { result } = await request('tasks/result', { taskId });
    expect(result).toMatchObject({
      isError: false,
      structuredContent: { id: taskId, status: 'succeeded' },
      _meta: { 'io.modelcontextprotocol/related-task': { taskId } },
    });
    expect((await request('tasks/get', { taskId })).result).toMatchObject({ status: 'completed' });
    expect(imageCalls(service.studio, 'A stork')).toHaveLength(1);
  });

  it('are listed in pages, only those of the tenant', async () => {
    const request = legacyRequester(service, { key: testKeys.other });
    const created = await request('tools/call', asTask('A task of another tenant'));
    const { taskId } = (created.result as unknown as { task: Task }).task;
    const listOf = async (requester: McpRequester) =>
      (await requester('tasks/list')).result as unknown as { tasks: Task[] };
    expect((await listOf(request)).tasks.map((task) => task.taskId)).toEqual([taskId]);
    expect(JSON.stringify(await listOf(legacyRequester(service)))).not.toContain(taskId);
    expect((await request('tasks/list', { cursor: taskId })).result).toEqual({ tasks: [] });
    expect((await request('tasks/list', { cursor: 'page2' })).error?.code).toBe(-32602);
    const foreign = await legacyRequester(service)('tasks/result', { taskId });
    expect(foreign.error?.code).toBe(-32602);
  });

  it('are canceled once; a second cancel is an error', async () => {
    const request = legacyRequester(service);
    const created = await request('tools/call', asTask('A dam [studio:latency=20000]'));
    const { taskId } = (created.result as unknown as { task: Task }).task;
    expect((await request('tasks/cancel', { taskId })).result).toMatchObject({ taskId });
    await ended(request, taskId);
    expect((await request('tasks/cancel', { taskId })).error).toMatchObject({ code: -32602 });
  });

  it('are refused for tools that create no job, and a refused request is an error that says why', async () => {
    const request = legacyRequester(service);
    const listing = await request('tools/call', { name: 'list_models', arguments: {}, task: {} });
    expect(listing.error?.code).toBe(-32601);
    const dear = { ...asTask('A crow'), arguments: { prompt: 'A crow', max_cost_micro_usd: 1 } };
    const refused = await request('tools/call', dear);
    expect(refused.error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(/^max_cost_exceeded: /),
      data: { code: 'max_cost_exceeded', retryable: false },
    });
  });
});
