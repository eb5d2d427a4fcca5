import { storageKeysOf } from '../../domain/image.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import { erase, purgeMedia } from '../../domain/job-moves.ts';
import type {
  Clock,
  Deliveries,
  ImageStorage,
  JobStore,
  Log,
  Signals,
  TaskQueue,
  WebhookEvents,
} from '../../domain/ports.ts';
import { eventIdsOf } from '../../domain/webhook-event.ts';
import { findJob } from './get-job.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  records: JobStore;
  updateJob: UpdateJob;
  deliveries: Deliveries;
  events: WebhookEvents;
  storage: ImageStorage;
  jobQueue: TaskQueue;
  signals: Signals;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** Deletes all bytes of a job, known or not, and notes that they are gone. Repeatable: what fails stays due. */
export async function removeImages(
  deps: { storage: ImageStorage; updateJob: UpdateJob; clock: Clock },
  job: ImageJob,
): Promise<ImageJob | null> {
  for (const key of storageKeysOf(job)) await deps.storage.remove(key);
  return deps.updateJob(job.tenant, job.id, (current) => purgeMedia(current, deps.clock()), job);
}

/** Forgets what was told of a job, and what is still to be told. Events first: without them no delivery is written. */
export async function purgeEvents(
  deps: { deliveries: Deliveries; events: WebhookEvents },
  tenant: string,
  id: string,
): Promise<void> {
  await deps.events.remove(tenant, eventIdsOf(id));
  await deps.deliveries.removeOf(tenant, id);
}

/**
 * Erases a job. The tombstone is what counts: from that moment nobody reads it; then the webhook bodies and the images
 * go. Images that the storage does not give up now are due at once for the sweeper.
 *
 * @throws AppError `not_found`, `erased`
 */
export function createEraseJob(deps: Deps) {
  return async (tenant: string, id: string): Promise<void> => {
    await findJob(deps.records, tenant, id);
    // Before the end, which may put it back for a worker to stop the calls of the job.
    await deps.jobQueue.remove(id).catch(() => false);
    const job = await deps.updateJob(tenant, id, (current) =>
      current.erasedAt === undefined ? erase(current, deps.clock(), deps.retentionOf(current)) : null,
    );
    if (!job) return;
    await deps.signals.requestCancel(id);
    await purgeEvents(deps, tenant, id);
    await removeImages(deps, job).catch((error) => {
      deps.log.warn(
        { err: error, ...logFieldsOf(job) },
        'images not erased yet; the sweeper will erase them',
      );
    });
  };
}
export type EraseJob = ReturnType<typeof createEraseJob>;
