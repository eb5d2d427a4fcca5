import type { CallToolResult } from '@modelcontextprotocol/server';
import type { ImageJob, Retention } from '../../../domain/image-job.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { checkScope, type McpCall } from '../mcp-call.ts';
import type { PresentResult } from '../present-result.ts';
import { describeTask, type TaskView } from './describe-task.ts';

export interface JobTasksDeps {
  readonly jobs: Pick<Jobs, 'getJob' | 'listJobs' | 'cancelJob' | 'presentJob'>;
  readonly present: PresentResult;
  readonly retentionOf: (job: ImageJob) => Retention;
  readonly linkSeconds: number;
  readonly clock: Clock;
}

const listSize = 50;

/** Creates the verbs of tasks, which both forms of the protocol share. Every task is a job of the caller's tenant. */
export function createJobTasks({ jobs, present, retentionOf, linkSeconds, clock }: JobTasksDeps) {
  async function describe(job: ImageJob, { publicUrl }: McpCall): Promise<TaskView> {
    const view = await jobs.presentJob(job, { publicUrl, linkSeconds });
    return describeTask(job, view, { nowMs: clock(), retentionOf });
  }

  /** Returns a job of the tenant. @throws AppError `not_found`, `erased`, `insufficient_scope` */
  async function get(call: McpCall, taskId: string): Promise<ImageJob> {
    checkScope(call, 'images:read');
    const job = await jobs.getJob.get(call.caller.tenant, taskId);
    call.onJob(job);
    return job;
  }

  return {
    get,
    describe,

    /** Returns the result of the tool call that started a task. */
    resultOf: (job: ImageJob, call: McpCall): Promise<CallToolResult> =>
      present.job(job, call, { preview: true }),

    /** Cancels a job. @throws AppError like `get`, and `already_terminal` */
    async cancel(call: McpCall, taskId: string): Promise<ImageJob> {
      checkScope(call, 'images:write');
      const job = await jobs.cancelJob(call.caller.tenant, taskId);
      call.onJob(job);
      return job;
    },

    /** Lists the tasks of the tenant, newest first. */
    async list(call: McpCall, cursor: string | undefined) {
      checkScope(call, 'images:read');
      const page = await jobs.listJobs(call.caller.tenant, { limit: listSize, beforeId: cursor });
      return {
        tasks: await Promise.all(page.jobs.map((job) => describe(job, call))),
        nextCursor: page.nextBeforeId,
      };
    },
  };
}
export type JobTasks = ReturnType<typeof createJobTasks>;
