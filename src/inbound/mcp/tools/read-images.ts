import { z } from 'zod';
import { jobStatuses } from '../../../domain/image-job.ts';
import { ImageRequestFields } from '../../../domain/image-request.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import { jobCursor } from '../job-cursor.ts';
import { checkAccess } from '../mcp-call.ts';
import type { PresentResult } from '../present-result.ts';
import { defineTool, type Tool } from '../tool.ts';
import { waitWithProgress } from '../wait-with-progress.ts';

export interface ReadImagesDeps {
  readonly jobs: Pick<Jobs, 'getJob' | 'listJobs' | 'cancelJob'>;
  readonly present: PresentResult;
}

const id = z.string().min(1).max(64).describe('Id of the job, `img_...`.');
const defaultListSize = 10;

const listInput = z.strictObject({
  limit: z.int().min(1).max(50).optional().describe('Maximum number of jobs. Default: 10.'),
  cursor: jobCursor.optional().describe('The next_cursor of the page before.'),
  status: z.enum(jobStatuses).optional().describe('Only jobs in this status.'),
  metadata: ImageRequestFields.shape.metadata.describe('Only jobs with all these pairs.'),
});

/** Returns the tools that find, read and cancel jobs. */
export function readImagesTools({ jobs, present }: ReadImagesDeps): Tool[] {
  return [
    defineTool({
      name: 'get_image',
      title: 'Read a job',
      description:
        'Returns a job with new links to its images, its status and its cost. Free. If the job is still running, set wait_s to wait for its end.',
      input: z.strictObject({
        id,
        wait_s: z
          .int()
          .min(0)
          .max(45)
          .optional()
          .describe('Seconds to wait for the end of the job. Default: 0.'),
        preview: z
          .boolean()
          .optional()
          .describe('Whether the result contains a small preview. Default: true.'),
      }),
      scope: 'images:read',
      isReadOnly: true,
      async run({ id: jobId, wait_s: seconds = 0, preview = true }, context) {
        const job = await jobs.getJob.get(context.call.caller.tenant, jobId);
        context.call.onJob(job);
        const current = await waitWithProgress(jobs, job, { ...context, seconds });
        checkAccess(context.call);
        return present.job(current, context.call, { preview });
      },
    }),
    defineTool({
      name: 'list_images',
      title: 'List jobs',
      description:
        'Returns the jobs of this account, newest first: id, status, time and prompt. Free. Use it to find an earlier image, for example as an input of edit_image.',
      input: listInput,
      scope: 'images:read',
      isReadOnly: true,
      async run({ limit = defaultListSize, cursor, status, metadata }, { call }) {
        const filters = { status, metadata };
        const page = await jobs.listJobs(call.caller.tenant, { limit, beforeId: cursor, ...filters });
        return present.list(page.jobs, call, page.nextBeforeId);
      },
    }),
    defineTool({
      name: 'cancel_image',
      title: 'Cancel a job',
      description:
        'Cancels a job that is queued or running. A queued job costs nothing; a running one may be charged, see the cost in the result.',
      input: z.strictObject({ id }),
      scope: 'images:write',
      isReadOnly: false,
      async run({ id: jobId }, { call }) {
        const job = await jobs.cancelJob(call.caller.tenant, jobId);
        call.onJob(job);
        return { ...(await present.job(job, call, { preview: false })), isError: false };
      },
    }),
  ];
}
