import type { DispatchTask, Log, TaskQueue } from '../../domain/ports.ts';

/** Enqueues a delivery run. If the queue is down, the reconciler enqueues the run later. */
export async function enqueueDelivery(
  deps: { readonly webhookQueue: TaskQueue; readonly log: Log },
  tenant: string,
  { destinationKey, taskId }: DispatchTask,
): Promise<void> {
  await deps.webhookQueue
    .add({ kind: 'deliver_pending', tenant, id: destinationKey }, { priority: 'normal', taskId })
    .catch((error) => {
      deps.log.warn(
        { err: error, tenant, destination: destinationKey },
        'delivery task not enqueued, the reconciler will enqueue it',
      );
    });
}
