import { type Author, auditEntryOf } from '../../domain/audit.ts';
import { previewKeysOf, storageKeysOf } from '../../domain/image.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import { erase, purgeMedia, purgePreviews } from '../../domain/job-erasure.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type {
  AuditLog,
  Clock,
  Deliveries,
  ImageStorage,
  JobQueue,
  JobStore,
  Log,
  Signals,
  WebhookEvents,
} from '../../domain/ports.ts';
import { eventIdsOf } from '../../domain/webhook-event.ts';
import { findJob } from './get-job.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  records: JobStore;
  audit: Pick<AuditLog, 'appendErasure'>;
  updateJob: UpdateJob;
  deliveries: Deliveries;
  events: WebhookEvents;
  storage: ImageStorage;
  jobQueue: JobQueue;
  signals: Signals;
  clock: Clock;
  log: Log;
  retentionOf: (job: ImageJob) => Retention;
}

/** Deletes all image files of a job, recorded or not. */
export async function deleteFiles({ storage }: { storage: ImageStorage }, job: ImageJob): Promise<void> {
  for (const key of storageKeysOf(job)) await storage.remove(key);
}

/** Deletes all image files of a job and records the deletion. Repeatable: after a failure it stays due. */
export async function removeImages(
  deps: { storage: ImageStorage; updateJob: UpdateJob; clock: Clock },
  job: ImageJob,
): Promise<ImageJob | null> {
  await deleteFiles(deps, job);
  return deps.updateJob(job, (current) => purgeMedia(current, deps.clock()), job);
}

/** Deletes the previews of an ended job and records the deletion. Repeatable: after a failure it stays due. */
export async function removePreviews(
  deps: { storage: ImageStorage; updateJob: UpdateJob; clock: Clock },
  job: ImageJob,
): Promise<void> {
  for (const key of previewKeysOf(job)) await deps.storage.remove(key);
  await deps.updateJob(job, (current) => purgePreviews(current, deps.clock()), job);
}

/** Deletes the events and deliveries of a job. Events are deleted first, because no delivery is written without its event. */
export async function purgeEvents(
  deps: { deliveries: Deliveries; events: WebhookEvents },
  tenant: string,
  id: string,
): Promise<void> {
  await deps.events.remove(tenant, eventIdsOf(id));
  await deps.deliveries.removeOf(tenant, id);
}

/**
 * Erases a job. The tombstone is written first, and from then on no caller can read the job. The webhook bodies and the
 * images are deleted afterwards. The sweeper deletes what a failure or the end of the process leaves.
 *
 * @throws AppError `not_found`, `erased`
 */
export function createEraseJob(deps: Deps) {
  return async ({ tenant, actor }: Author, id: string): Promise<void> => {
    await findJob(deps.records, tenant, id);
    // The entry comes first, because an erasure without an entry could not be traced.
    const entry = { at: deps.clock(), tenant, action: 'job.erased', target: id } as const;
    await deps.audit.appendErasure(tenant, auditEntryOf(actor, entry));
    // The task is removed before the job ends, because the end may enqueue it again to cancel the provider calls.
    await deps.jobQueue.remove(id).catch(() => false);
    const job = await deps.updateJob({ tenant, id }, (current) =>
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
