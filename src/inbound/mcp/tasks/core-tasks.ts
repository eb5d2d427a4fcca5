import { RELATED_TASK_META_KEY } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { AppError } from '../../../domain/errors.ts';
import { type ImageJob, isTerminal } from '../../../domain/image-job.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { jobCursor } from '../job-cursor.ts';
import { checkAccess, type McpCall } from '../mcp-call.ts';
import { reporterOf } from '../report-progress.ts';
import { waitWithProgress } from '../wait-with-progress.ts';
import type { TaskView } from './describe-task.ts';
import type { JobTasks } from './job-tasks.ts';
import type { OnRequest } from './on-request.ts';

/** Capabilities that announce tasks to clients of 2025-11-25, where they are part of the protocol. */
export const coreCapabilities = {
  tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
};

const taskParams = z.looseObject({ taskId: z.string() });
const listParams = z.looseObject({ cursor: jobCursor.optional() });
/** Maximum time of a wait for a result, in seconds. It ends earlier if the client disconnects. */
const maxWaitSeconds = 24 * 3600;

/** Returns the fields of a task. */
function fieldsOf({ lifetimeMs, pollMs, ...task }: TaskView) {
  return { ...task, ttl: lifetimeMs, pollInterval: pollMs };
}

/** Returns the result of a call that started a task. Hosts may show the text to the model at once. */
export const createdTask = (task: TaskView) => ({
  task: fieldsOf(task),
  _meta: { 'io.modelcontextprotocol/model-immediate-response': task.statusMessage },
});

interface Deps {
  readonly tasks: JobTasks;
  readonly jobs: Pick<Jobs, 'getJob'>;
}

/** Serves the methods of tasks of 2025-11-25. */
export function serveCoreTasks(onRequest: OnRequest, { tasks, jobs }: Deps, call: McpCall): void {
  const fields = async (job: ImageJob) => fieldsOf(await tasks.describe(job, call));

  onRequest('tasks/get', taskParams, async ({ taskId }) => fields(await tasks.get(call, taskId)));
  onRequest('tasks/cancel', taskParams, async ({ taskId }) => fields(await tasks.cancel(call, taskId)));
  onRequest('tasks/list', listParams, async ({ cursor }) => {
    const page = await tasks.list(call, cursor);
    return {
      tasks: page.tasks.map(fieldsOf),
      ...(page.nextCursor === null ? {} : { nextCursor: page.nextCursor }),
    };
  });
  // The specification demands that the response waits for the end of the task.
  onRequest('tasks/result', taskParams, async ({ taskId }, context) => {
    const job = await tasks.get(call, taskId);
    const report = reporterOf(context);
    const ended = await waitWithProgress(jobs, job, { call, report, seconds: maxWaitSeconds });
    checkAccess(call);
    if (!isTerminal(ended.status)) {
      const detail = `The task is still running. Call tasks/get with the taskId ${taskId} to follow it.`;
      throw new AppError('too_many_requests', { detail, retryAfterSeconds: 5 });
    }
    const result = await tasks.resultOf(ended, call);
    return { ...result, _meta: { [RELATED_TASK_META_KEY]: { taskId } } };
  });
}
