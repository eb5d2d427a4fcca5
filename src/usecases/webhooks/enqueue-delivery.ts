import type { DispatchTask, Log, TaskQueue } from '../../domain/ports.ts';

/** Has a mailbox looked at; a failure only delays it until the reconciler's next round. */
export async function enqueueDelivery(
  deps: { webhookQueue: TaskQueue; log: Log },
  tenant: string,
  { destinationKey, taskId }: DispatchTask,
): Promise<void> {
  await deps.webhookQueue
    .add({ kind: 'deliver_pending', tenant, id: destinationKey }, { priority: 'normal', taskId })
    .catch((error) => {
      deps.log.warn({ err: error, tenant, destinationKey }, 'mailbox not queued, the reconciler will do it');
    });
}
