import type { Log, Task, TaskResult } from '../../domain/ports.ts';

interface Deps {
  deliverWebhook: (task: Task) => Promise<TaskResult>;
  log: Log;
}

/** Queue message to use case: makes one attempt at the delivery that a task names. */
export function createWebhookWorker(deps: Deps) {
  return async (task: Task): Promise<TaskResult> => {
    deps.log.debug({ delivery_id: task.id, tenant: task.tenant }, 'delivery taken');
    return deps.deliverWebhook(task);
  };
}
