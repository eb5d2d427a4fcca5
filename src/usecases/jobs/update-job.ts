import { type ImageJob, isTerminal, shownStatus } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { JobStore, Log, Meter, TaskQueue, TaskSubject } from '../../domain/ports.ts';
import { eventFor, type NewEvent } from '../../domain/webhook-event.ts';
import type { CancelProviderCalls } from './cancel-provider-calls.ts';

interface Deps {
  records: JobStore;
  webhookQueue: TaskQueue;
  cancelProviderCalls: CancelProviderCalls;
  meter: Meter;
  log: Log;
}

/** Changes a record, see `JobStore.update`. */
export type UpdateJob = (
  tenant: string,
  id: string,
  change: (job: ImageJob) => ImageJob | null,
  known?: ImageJob,
) => Promise<ImageJob | null>;

/**
 * The one way in which a job changes after it was submitted: the new state and the event that it is are written in one
 * atomic step; then the event is queued to be announced. Where queueing fails the reconciler finds it. Calls that go on by
 * themselves at the provider are stopped when their job has ended, for nobody will take them up again.
 */
export function createUpdateJob(deps: Deps): UpdateJob {
  return async (tenant, id, change, known) => {
    let eventWritten: NewEvent | undefined;
    let ended: ImageJob | undefined;
    const job = await deps.records.update(
      tenant,
      id,
      (before) => {
        ended = undefined;
        const after = change(before);
        if (after === null || after === before) return null;
        if (after.status === before.status) return { job: after };
        if (isTerminal(after.status)) ended = after;
        return { job: after, event: eventFor(after) };
      },
      known,
      (event) => {
        eventWritten = event;
      },
    );
    if (job && ended) recordEnd(deps, ended);
    if (eventWritten) await queueEvent(deps, { tenant, id: eventWritten.id });
    if (ended) await deps.cancelProviderCalls(ended);
    return job;
  };
}

function recordEnd({ meter, log }: Deps, job: ImageJob): void {
  meter.jobFinished(shownStatus(job), job.errors?.at(-1)?.code ?? 'none');
  log.info(
    {
      ...logFieldsOf(job),
      status: job.status,
      images: job.images.length,
      attempts: job.attempts.length,
      duration_ms: (job.finishedAt ?? 0) - job.createdAt,
    },
    'job ended',
  );
}

/** Queues an event that was written, to be announced; a failure only delays it until the reconciler's next round. */
export async function queueEvent(
  deps: { webhookQueue: TaskQueue; log: Log },
  event: TaskSubject,
): Promise<void> {
  await deps.webhookQueue.add({ ...event, kind: 'dispatch_event' }, { priority: 'normal' }).catch((error) => {
    deps.log.warn({ err: error, event_id: event.id }, 'event not queued, the reconciler will do it');
  });
}
