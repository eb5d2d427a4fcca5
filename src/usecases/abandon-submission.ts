import { finish, type ImageJob, type Retention } from '../domain/image-job.ts';
import type { Clock, Log, TaskQueue } from '../domain/ports.ts';
import type { ChangeImage } from './change-image.ts';

interface Deps {
  change: ChangeImage;
  imageQueue: TaskQueue;
  sleep: (ms: number) => Promise<void>;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** When to look whether the store took a job after all; a paused Redis carries out what it was sent once it goes on. */
const looksAfterMs = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000];

/**
 * Takes back a job whose submission got no answer from the store: its caller was told 503 and has no key to find it by,
 * so nobody would ever want what it costs. Best effort: a process that dies meanwhile takes nothing back.
 */
export function createAbandonSubmission(deps: Deps) {
  return async (job: ImageJob): Promise<void> => {
    for (const pauseMs of looksAfterMs) {
      await deps.sleep(pauseMs);
      const found = await deps
        .change(job.tenant, job.id, (current) =>
          current.status === 'queued'
            ? finish(current, 'canceled', { nowMs: deps.clock(), retention: deps.retentionOf(current) })
            : null,
        )
        .catch(() => null);
      if (!found) continue;
      await deps.imageQueue.remove(job.id).catch(() => false);
      deps.log.warn({ job_id: job.id, status: found.status }, 'job taken back: its caller was told 503');
      return;
    }
  };
}
export type AbandonSubmission = ReturnType<typeof createAbandonSubmission>;
