import { billingOf, finish, type ImageJob, jobError, type Retention } from '../domain/image-job.ts';
import type { Clock, Deliveries, ImageRecords, ImageStorage, Log, TaskQueue } from '../domain/ports.ts';
import { deliveryIdsOf } from '../domain/webhook-event.ts';
import type { ChangeImage } from './change-image.ts';
import { removePictures } from './erase-image.ts';

interface Deps {
  records: ImageRecords;
  change: ChangeImage;
  deliveries: Deliveries;
  storage: ImageStorage;
  imageQueue: TaskQueue;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

const pageSize = 200;

/**
 * Does what is due without anybody asking: ends jobs whose patience or time is over, removes pictures and records
 * whose retention is over. Idempotent; a job that cannot be dealt with now stays due.
 */
export function createSweep(deps: Deps) {
  async function attend(job: ImageJob): Promise<void> {
    const nowMs = deps.clock();
    const retention = deps.retentionOf(job);
    if (job.status === 'queued') {
      const error = jobError('queue_timeout', 'none');
      await deps.change(job.tenant, job.id, (now) =>
        now.status === 'queued' ? finish(now, 'expired', { nowMs, retention, error }) : null,
      );
      await deps.imageQueue.remove(job.id).catch(() => false);
    } else if (job.status === 'running') {
      await deps.change(job.tenant, job.id, (now) =>
        now.status === 'running'
          ? finish(now, 'failed', {
              nowMs,
              retention,
              error: jobError('run_timeout', billingOf(now.attempts)),
            })
          : null,
      );
    } else if (!job.mediaGone) {
      await removePictures(deps, job);
    } else {
      await deps.deliveries.remove(job.tenant, deliveryIdsOf(job.id));
      await deps.records.remove(job);
    }
  }

  async function sweepTenant(tenant: string): Promise<void> {
    for (;;) {
      const ids = await deps.records.dueJobs(tenant, deps.clock(), pageSize);
      let failures = 0;
      for (const id of ids) {
        const job = await deps.records.get(tenant, id);
        if (!job) continue;
        await attend(job).catch((error) => {
          failures += 1;
          deps.log.warn({ err: error, job_id: id }, 'due job not dealt with, it stays due');
        });
      }
      if (ids.length < pageSize || failures > 0) return;
    }
  }

  return async (): Promise<void> => {
    for (const tenant of await deps.records.tenants()) await sweepTenant(tenant);
  };
}
