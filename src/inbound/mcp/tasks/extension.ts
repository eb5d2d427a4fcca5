import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type ImageJob, isTerminal } from '../../../domain/image-job.ts';
import type { McpCall } from '../mcp-call.ts';
import type { TaskView } from './describe-task.ts';
import type { JobTasks } from './job-tasks.ts';
import type { OnRequest } from './on-request.ts';

/** Name of the extension of the revision 2026-07-28, SEP-2663. */
const extension = 'io.modelcontextprotocol/tasks';

/** Capabilities that announce tasks to clients of 2026-07-28. */
export const extensionCapabilities = { extensions: { [extension]: {} } };

const taskParams = z.looseObject({ taskId: z.string() });

/** Whether a request declares that its client knows tasks. Every request does so for itself. */
export function declaresTasks({ mcpReq }: ServerContext): boolean {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  return containsExtension(envelope?.[CLIENT_CAPABILITIES_META_KEY]);
}

/** Whether the capabilities of a client contain the extension. */
export function containsExtension(capabilities: unknown): boolean {
  const { extensions } = (capabilities ?? {}) as { extensions?: Readonly<Record<string, unknown>> | null };
  return extensions?.[extension] !== undefined;
}

/** Returns the refusal of a request that does not declare the extension. */
export const undeclaredTasks = (method: string) =>
  new MissingRequiredClientCapabilityError(
    { requiredCapabilities: extensionCapabilities },
    `The method ${method} needs the client capability ${extension}.`,
  );

/** Returns the fields of a task. */
function fieldsOf({ lifetimeMs, pollMs, ...task }: TaskView) {
  return { ...task, ttlMs: lifetimeMs, pollIntervalMs: pollMs };
}

/** Returns the result of a call that started a task. */
export const startedTask = (task: TaskView) => ({ resultType: 'task', ...fieldsOf(task) });

/** Returns a job as a task with its result, as `tasks/get` and notifications show it. */
export async function detailedTask(tasks: JobTasks, job: ImageJob, call: McpCall) {
  const task = await tasks.describe(job, call);
  if (task.status !== 'completed') return fieldsOf(task);
  return { ...fieldsOf(task), result: { resultType: 'complete', ...(await tasks.resultOf(job, call)) } };
}

/** Serves the methods of the extension. */
export function serveExtension(onRequest: OnRequest, tasks: JobTasks, call: McpCall): void {
  const onTask = (method: string, respond: (taskId: string) => Promise<Record<string, unknown>>) =>
    onRequest(method, taskParams, ({ taskId }, context) => {
      if (!declaresTasks(context)) throw undeclaredTasks(method);
      return respond(taskId);
    });

  onTask('tasks/get', async (taskId) => detailedTask(tasks, await tasks.get(call, taskId), call));
  // A job requests no input, so every response to an input request is out of date and has no effect.
  onTask('tasks/update', async (taskId) => {
    await tasks.get(call, taskId);
    return {};
  });
  onTask('tasks/cancel', async (taskId) => {
    const job = await tasks.get(call, taskId);
    // The request is cooperative: a task that has ended stays as it is.
    if (!isTerminal(job.status)) await tasks.cancel(call, taskId);
    return {};
  });
}
