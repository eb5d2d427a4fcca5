import { Queue } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { AppError } from '../../domain/errors.ts';
import type { Priority, TaskQueue } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import { createTranslation } from '../../lib/redis/store-failure.ts';

/** Name and key prefix of a queue. The prefix is a hash tag: BullMQ's scripts need all keys of a queue in one slot. */
export interface QueueName {
  readonly name: string;
  readonly prefix: string;
}

/** The queues of a deployment. */
export function queueNames(keyPrefix: string): { images: QueueName; webhooks: QueueName } {
  return {
    images: { name: 'images', prefix: `{${keyPrefix}-queue-images}` },
    webhooks: { name: 'webhooks', prefix: `{${keyPrefix}-queue-webhooks}` },
  };
}

/** Where tasks wait to be taken over by the queue itself, see `task-intake.ts`. */
export const intakeKey = (queueName: QueueName) => `${queueName.prefix}:intake`;

/**
 * BullMQ treats 0 as "no priority" and keeps such tasks in a list, where state, position and removal cost time in
 * proportion to its length. Every task has a priority, so all waiting ones stand in a sorted set.
 */
const ranks = { high: 1, normal: 2, low: 3 } as const satisfies Record<Priority, number>;

type BulkJobs = Parameters<Queue['addBulk']>[0];

/**
 * The producing side of a queue.
 *
 * @param redis a connection that fails fast (no offline queue): a request must not hang while Redis is away.
 * @param asked another such connection, for questions: on one that shares round trips they cost less.
 */
export function createTaskQueue(
  redis: Redis | Cluster,
  queueName: QueueName,
  asked: Redis | Cluster = redis,
): TaskQueue & { close(): Promise<void> } {
  let queue: Queue | undefined;

  // Built at first use: BullMQ talks to Redis while it is constructed, and the API has to start before Redis does.
  function open(): Queue {
    if (redis.status !== 'ready') throw new Error(`the connection of the queue is ${redis.status}`);
    if (!queue) {
      queue = new Queue(queueName.name, {
        connection: redis,
        prefix: queueName.prefix,
        skipVersionCheck: true,
        skipWaitingForReady: true,
        streams: { events: { maxLen: 100 } },
      });
      queue.on('error', () => {}); // the connection's own listener reports it
    }
    return queue;
  }

  const key = (rest: string) => `${queueName.prefix}:${queueName.name}:${rest}`;
  const exists = async (id: string) => (await asked.exists(key(id))) === 1;

  const addInBatch = createBatches((jobs: readonly BulkJobs[number][]) => open().addBulk([...jobs]));

  return {
    add: (task, options) =>
      translated(async () => {
        await addInBatch({
          name: queueName.name,
          data: { tenant: task.tenant, id: task.id },
          opts: {
            jobId: options.taskId ?? task.id,
            priority: ranks[options.priority],
            ...(options.delayMs ? { delay: options.delayMs } : {}),
            // The record is ours: nothing is kept here, and an id can be added again as soon as its task is done.
            attempts: 1,
            removeOnComplete: true,
            removeOnFail: true,
          },
        });
      }),
    remove: (id) =>
      // BullMQ counts a task that was never there as removed.
      translated(async () => (await exists(id)) && (await open().remove(id)) === 1),
    position: (id) => translated(() => asked.zrank(key('prioritized'), id)),
    has: (ids) => translated(() => Promise.all(ids.map(exists))),
    counts: () =>
      translated(async () => {
        const [intake, wait, prioritized, delayed, active] = await Promise.all([
          asked.llen(intakeKey(queueName)),
          asked.llen(key('wait')),
          asked.zcard(key('prioritized')),
          asked.zcard(key('delayed')),
          asked.llen(key('active')),
        ]);
        return { waiting: intake + wait + prioritized, delayed, active };
      }),
    async close() {
      await queue?.close();
    },
  };
}

/** Runs a command on a queue and translates its failure. */
export const translated = createTranslation(
  (error) => error instanceof AppError,
  (cause) =>
    new AppError('store_unavailable', {
      detail: 'The queue is not available. Retry shortly.',
      retryAfterSeconds: 2,
      cause,
    }),
);
