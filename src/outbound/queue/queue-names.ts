/** Name and key prefix of a queue. The prefix is a hash tag, because BullMQ's scripts need all keys of a queue in one slot. */
export interface QueueName {
  readonly name: string;
  readonly prefix: string;
}

/** Returns the queues of a deployment. */
export function queueNames(keyPrefix: string): { jobs: QueueName; webhooks: QueueName } {
  return {
    jobs: { name: 'jobs', prefix: `{${keyPrefix}-queue-jobs}` },
    webhooks: { name: 'webhooks', prefix: `{${keyPrefix}-queue-webhooks}` },
  };
}

/** Returns the key of a queue's intake list, see `task-intake.ts`. */
export const intakeKey = (queueName: QueueName) => `${queueName.prefix}:intake`;
