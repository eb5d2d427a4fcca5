import type { TaskHandler, TaskResult, TaskSubject } from '../../domain/ports.ts';

export interface DeliverPendingDeps {
  deliverPending: (deliveryQueue: TaskSubject, signal: AbortSignal) => Promise<TaskResult>;
}

/** Creates the handler of `deliver_pending`: sends the pending deliveries of one delivery queue. */
export function createDeliverPendingHandler({ deliverPending }: DeliverPendingDeps): TaskHandler {
  return ({ tenant, id }, signal) => deliverPending({ tenant, id }, signal);
}
