import { hasWaitedTooLong, type ImageJob, type Retention } from '../../domain/image-job.ts';
import { expire } from '../../domain/job-moves.ts';
import type { Clock, TaskQueue } from '../../domain/ports.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  updateJob: UpdateJob;
  jobQueue: TaskQueue;
  clock: Clock;
  retentionOf: (job: ImageJob) => Retention;
}

/**
 * Ends a job that has waited longer than its `queue_ttl_s`, unless somebody took it up meanwhile, and takes its task out.
 * Any other job is left alone. Idempotent.
 *
 * @returns the job as it is then
 */
export function createExpireJob(deps: Deps) {
  return async (job: ImageJob): Promise<ImageJob> => {
    const nowMs = deps.clock();
    if (!hasWaitedTooLong(job, nowMs)) return job;
    const after = await deps.updateJob(
      job.tenant,
      job.id,
      (now) =>
        hasWaitedTooLong(now, nowMs) ? expire(now, { nowMs, retention: deps.retentionOf(now) }) : null,
      job,
    );
    // A task that stays finds its job ended.
    if (after?.status === 'expired') await deps.jobQueue.remove(job.id).catch(() => false);
    return after ?? job;
  };
}
export type ExpireJob = ReturnType<typeof createExpireJob>;
