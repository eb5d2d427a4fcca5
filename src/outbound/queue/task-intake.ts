import type { Cluster, Redis } from 'ioredis';
import type { TaskIntake } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import { encodeEntry } from './intake-entry.ts';
import { intakeKey, type QueueName } from './queue-names.ts';
import { translated } from './task-queue.ts';

/**
 * Creates the fast entry to a queue: a list, filled with one command for all tasks that arrive together, instead of the
 * queue's own scripts. A relay moves tasks from the list into the schedule, within milliseconds if a worker runs. The
 * reconciler re-enqueues tasks that are lost in between.
 *
 * @param redis a connection that fails fast.
 */
export function createTaskIntake(
  redis: Redis | Cluster,
  queueName: QueueName,
): TaskIntake & {
  /** Resolves after all added tasks are in the list or have failed. */
  flush(): Promise<void>;
} {
  const key = intakeKey(queueName);
  let last: Promise<unknown> = Promise.resolve();
  const push = createBatches(async (entries: readonly string[]) => {
    await redis.rpush(key, ...entries);
    return entries;
  });
  return {
    add(task, options) {
      const pushed = push(encodeEntry(task, options));
      last = pushed;
      return translated(async () => void (await pushed));
    },
    async flush() {
      await last.catch(() => {});
    },
  };
}
