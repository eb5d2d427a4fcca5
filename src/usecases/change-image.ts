import { type ImageJob, isTerminal } from '../domain/image-job.ts';
import type { ImageProvider, ImageRecords, Log, Meter, TaskQueue } from '../domain/ports.ts';
import { type Delivery, deliveriesFor } from '../domain/webhook-event.ts';

interface Deps {
  records: ImageRecords;
  webhookQueue: TaskQueue;
  provider?: Pick<ImageProvider, 'abandon'>;
  meter: Meter;
  log: Log;
}

/** Changes a record, see `ImageRecords.update`. */
export type ChangeImage = (
  tenant: string,
  id: string,
  change: (job: ImageJob) => ImageJob | null,
  known?: ImageJob,
) => Promise<ImageJob | null>;

/**
 * The one way in which a job changes after it was submitted: the new state and the webhook deliveries it causes are
 * written in one atomic step; then the deliveries are queued. Where queueing fails the reconciler finds them. Calls that
 * go on by themselves at the provider are stopped when their job has ended, for nobody will take them up again.
 */
export function createChangeImage(deps: Deps): ChangeImage {
  return async (tenant, id, change, known) => {
    let deliveries: Delivery[] = [];
    let ended: ImageJob | undefined;
    const job = await deps.records.update(
      tenant,
      id,
      (before) => {
        deliveries = [];
        ended = undefined;
        const after = change(before);
        if (after === null || after === before) return null;
        if (after.status !== before.status) {
          deliveries = deliveriesFor(after);
          if (isTerminal(after.status)) ended = after;
        }
        return { job: after, deliveries };
      },
      known,
    );
    if (job && ended) deps.meter.jobFinished(ended.status, ended.errors?.at(-1)?.code ?? 'none');
    await queueDeliveries(deps, deliveries);
    if (ended) await abandonCalls(deps, ended);
    return job;
  };
}

async function abandonCalls(deps: Pick<Deps, 'provider'>, job: ImageJob): Promise<void> {
  const handles = job.attempts.flatMap(({ state, handle }) =>
    state === 'calling' && handle ? [handle] : [],
  );
  await Promise.all(handles.map((handle) => deps.provider?.abandon?.(handle)));
}

/** Queues deliveries that were written; a failure only delays them until the reconciler's next round. */
export async function queueDeliveries(
  deps: { webhookQueue: TaskQueue; log: Log },
  deliveries: readonly Delivery[],
): Promise<void> {
  for (const { tenant, id } of deliveries) {
    await deps.webhookQueue.add({ tenant, id }, { priority: 'normal' }).catch((error) => {
      deps.log.warn(
        { err: error, tenant, delivery_id: id },
        'delivery not queued, the reconciler will do it',
      );
    });
  }
}
