import { Queue } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { AppError } from '../../domain/errors.ts';
import type { Priority, TaskQueue } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import { createTranslation } from '../../lib/redis/store-failure.ts';
import { intakeKey, type QueueName } from './queue-names.ts';
import { encodeTask, type TaskMessage } from './task-message.ts';

/**
 * BullMQ treats 0 as "no priority" and stores such tasks in a list, in which state, position and removal are linear in its
 * length. Every new task therefore has a priority, and all new tasks are in a sorted set. Interrupted tasks have none: they
 * are few, and BullMQ takes the tasks of the list before those of the set.
 */
const ranks = { high: 1, normal: 2, low: 3 } as const satisfies Record<Priority, number>;

type BulkJobs = Parameters<Queue['addBulk']>[0];

interface MessageOptions {
  readonly taskId: string;
  readonly priority: Priority;
  readonly delayMs?: number | undefined;
  readonly isInterrupted?: boolean | undefined;
}

/** Queue that the relay can fill with messages of any release. */
export interface MessageQueue {
  /** Adds a message unchanged. @throws AppError `store_unavailable` */
  addMessage(message: TaskMessage, options: MessageOptions): Promise<void>;
  /** Ends the delay of every delayed task. @throws AppError `store_unavailable` */
  promoteDelayed(): Promise<void>;
}

/**
 * Creates the producing side of a queue.
 *
 * @param redis a connection that fails fast (no offline queue), because a request must not hang while Redis is down.
 * @param reads a further such connection for reads. Reads cost less on a connection with automatic pipelining.
 */
export function createTaskQueue(
  redis: Redis | Cluster,
  queueName: QueueName,
  reads: Redis | Cluster = redis,
): TaskQueue & MessageQueue & { close(): Promise<void> } {
  let queue: Queue | undefined;

  // Built on first use, because BullMQ sends commands in the constructor and the API must start before Redis does.
  function open(): Queue {
    if (redis.status !== 'ready') throw new Error('Connection is closed.');
    if (!queue) {
      queue = new Queue(queueName.name, {
        connection: redis,
        prefix: queueName.prefix,
        skipVersionCheck: true,
        skipWaitingForReady: true,
        streams: { events: { maxLen: 100 } },
      });
      queue.on('error', () => {}); // the listener of the connection reports it
    }
    return queue;
  }

  const key = (rest: string) => `${queueName.prefix}:${queueName.name}:${rest}`;
  const exists = async (taskId: string) => (await reads.exists(key(taskId))) === 1;

  const addInBatch = createBatches((jobs: readonly BulkJobs[number][]) => open().addBulk([...jobs]));

  function addMessage(message: TaskMessage, options: MessageOptions): Promise<void> {
    const { taskId, priority, delayMs, isInterrupted } = options;
    return translated(async () => {
      await addInBatch({
        name: String(message.kind),
        data: message,
        opts: {
          jobId: taskId,
          ...(isInterrupted ? {} : { priority: ranks[priority] }),
          ...(delayMs ? { delay: delayMs } : {}),
          // The record is ours, so BullMQ keeps nothing, and an id can be added again as soon as its task is done.
          attempts: 1,
          removeOnComplete: true,
          removeOnFail: true,
        },
      });
    });
  }

  /** Returns the number of tasks before this one. BullMQ takes interrupted tasks from the end of their list. */
  async function position(taskId: string): Promise<number | null> {
    const [rank, interrupted] = await Promise.all([
      reads.zrank(key('prioritized'), taskId),
      reads.llen(key('wait')),
    ]);
    if (rank !== null) return interrupted + rank;
    if (interrupted === 0) return null;
    const index = await reads.lpos(key('wait'), taskId, 'RANK', -1);
    return index === null ? null : Math.max(0, interrupted - 1 - index);
  }

  return {
    addMessage,
    add: (task, { taskId = task.id, ...options }) => addMessage(encodeTask(task), { taskId, ...options }),
    remove: (taskId) =>
      // BullMQ reports a task that never existed as removed.
      translated(async () => (await exists(taskId)) && (await open().remove(taskId)) === 1),
    promoteDelayed: () => translated(() => open().promoteJobs()),
    position: (taskId) => translated(() => position(taskId)),
    has: (taskIds) => translated(() => Promise.all(taskIds.map(exists))),
    counts: () =>
      translated(async () => {
        const [intake, wait, prioritized, delayed, active] = await Promise.all([
          reads.llen(intakeKey(queueName)),
          reads.llen(key('wait')),
          reads.zcard(key('prioritized')),
          reads.zcard(key('delayed')),
          reads.llen(key('active')),
        ]);
        return { waiting: intake + wait + prioritized, delayed, active };
      }),
    async close() {
      await queue?.close();
    },
  };
}

/** Runs a command on a queue. @throws AppError `store_unavailable` during an outage of Redis. */
export const translated = createTranslation(
  (cause) =>
    new AppError('store_unavailable', {
      detail: 'The queue is not available. Retry shortly.',
      retryAfterSeconds: 2,
      cause,
    }),
);
