import type { Log, TaskQueue, Wake } from '../../domain/ports.ts';

/** Has a mailbox looked at; a failure only delays it until the reconciler's next round. */
export async function queueWake(
  deps: { webhookQueue: TaskQueue; log: Log },
  tenant: string,
  { target, taskId }: Wake,
): Promise<void> {
  await deps.webhookQueue.add({ tenant, id: target }, { priority: 'normal', taskId }).catch((error) => {
    deps.log.warn({ err: error, tenant, target }, 'mailbox not queued, the reconciler will do it');
  });
}
