import type { Log, TaskQueue, TaskSubject } from '../../domain/ports.ts';

/** Enqueues a written event for dispatch. A failure only delays the event until the reconciler's next round. */
export async function queueEvent(
  deps: { webhookQueue: TaskQueue; log: Log },
  event: TaskSubject,
): Promise<void> {
  await deps.webhookQueue.add({ ...event, kind: 'dispatch_event' }, { priority: 'normal' }).catch((error) => {
    deps.log.warn({ err: error, event_id: event.id }, 'event not queued, the reconciler will do it');
  });
}
