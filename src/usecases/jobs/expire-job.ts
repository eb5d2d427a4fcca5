import type { ImageJob, Retention } from '../../domain/image-job.ts';
import { hasWaitedTooLong } from '../../domain/job-deadlines.ts';
import { expire } from '../../domain/job-moves.ts';
import type { Clock, JobQueue } from '../../domain/ports.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  updateJob: UpdateJob;
  jobQueue: JobQueue;
  clock: Clock;
  retentionOf: (job: ImageJob) => Retention;
}

/**
 * Expires a job that has waited longer than its `queue_ttl_s` and removes its task. A job that a worker has started since
 * it was read, and any other job, stays unchanged. Idempotent.
 *
 * @returns the current job
 */
export function createExpireJob(deps: Deps) {
  return async (job: ImageJob): Promise<ImageJob> => {
    const nowMs = deps.clock();
    if (!hasWaitedTooLong(job, nowMs)) return job;
    const after = await deps.updateJob(
      job,
      (now) =>
        hasWaitedTooLong(now, nowMs) ? expire(now, { nowMs, retention: deps.retentionOf(now) }) : null,
      job,
    );
    // A failed removal is harmless, because a worker that receives the task finds the job ended.
    if (after?.status === 'expired') await deps.jobQueue.remove(job.id).catch(() => false);
    return after ?? job;
  };
}
export type ExpireJob = ReturnType<typeof createExpireJob>;
