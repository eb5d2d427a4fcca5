import type { Caller } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import { type ImageJob, isEnhancement } from '../../domain/image-job.ts';
import type { GetJob } from './get-job.ts';
import type { Submission, SubmitJob } from './submit-job.ts';

/**
 * Creates a new job from a job that ended without success. The new job names the old job as its parent.
 *
 * @throws AppError `not_retryable_job` for any other status, and every error of a submission.
 */
export function createRetryJob(deps: { getJob: GetJob; submitJob: SubmitJob }) {
  return async (
    caller: Caller,
    id: string,
    options: Pick<Submission, 'idempotencyKey' | 'requestId' | 'traceparent' | 'origin'>,
  ) => {
    let job: ImageJob;
    try {
      job = await deps.getJob.get(caller.tenant, id);
    } catch (error) {
      // A retry that was accepted under this key stays valid even if its parent is gone.
      const made = await deps.submitJob.replay({ caller, parentId: id, ...options });
      if (made) return made;
      throw error;
    }
    if (isEnhancement(job)) {
      throw new AppError('not_retryable_job', {
        detail: 'The job only enhanced a prompt. Repeat POST /prompts/enhance.',
      });
    }
    if (!job.request || !['failed', 'canceled', 'expired'].includes(job.status)) {
      throw new AppError('not_retryable_job', {
        detail: `The job is ${job.status}. Only failed, canceled and expired jobs can be retried.`,
      });
    }
    const inputs = job.inputs?.map(({ role, index, source }) => ({
      role,
      index,
      from: { kind: 'job_input' as const, jobId: id, source },
    }));
    return deps.submitJob.submit({ caller, body: job.request, inputs, parentId: id, ...options });
  };
}
export type RetryJob = ReturnType<typeof createRetryJob>;
