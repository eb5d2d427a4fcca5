import type { Log, Task, TaskResult } from '../../domain/ports.ts';

interface Deps {
  dispatchEvent: (task: Task) => Promise<void>;
  deliverPending: (task: Task, signal: AbortSignal) => Promise<TaskResult>;
  log: Log;
}

/** Queue message to use case: announces the event that a task names, or empties the mailbox. */
export function createWebhookWorker(deps: Deps) {
  return async (task: Task, signal: AbortSignal): Promise<TaskResult> => {
    if (!task.id.startsWith('evt_')) return deps.deliverPending(task, signal);
    deps.log.debug({ event_id: task.id, tenant: task.tenant }, 'event taken');
    await deps.dispatchEvent(task);
    return { done: true };
  };
}
