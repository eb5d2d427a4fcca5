import { hasWaitedTooLong, type ImageJob, jobError, type Retention } from '../domain/image-job.ts';
import { finish } from '../domain/job-moves.ts';
import type { Clock, TaskQueue } from '../domain/ports.ts';
import type { ChangeImage } from './change-image.ts';

interface Deps {
  change: ChangeImage;
  imageQueue: TaskQueue;
  clock: Clock;
  retentionOf: (job: ImageJob) => Retention;
}

/**
 * Ends a job that has waited longer than its `queue_ttl_s`, unless somebody took it up meanwhile, and takes its task out.
 * Idempotent.
 *
 * @returns the job as it is then; `null` when it is gone
 */
export function createExpireImage(deps: Deps) {
  return async (job: ImageJob): Promise<ImageJob | null> => {
    const nowMs = deps.clock();
    const error = jobError('queue_timeout', 'none');
    const after = await deps.change(
      job.tenant,
      job.id,
      (now) =>
        hasWaitedTooLong(now, nowMs)
          ? finish(now, 'expired', { nowMs, retention: deps.retentionOf(now), error })
          : null,
      job,
    );
    // A task that stays finds its job ended.
    if (after?.status === 'expired') await deps.imageQueue.remove(job.id).catch(() => false);
    return after;
  };
}
export type ExpireImage = ReturnType<typeof createExpireImage>;
