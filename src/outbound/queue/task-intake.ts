import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { priorities } from '../../domain/image-request.ts';
import type { Log, TaskIntake, TaskQueue } from '../../domain/ports.ts';
import { createBatches } from '../../lib/batches.ts';
import { createOutageLog } from '../../lib/outage-log.ts';
import { intakeKey, type QueueName, translated } from './task-queue.ts';

/**
 * The cheap way into a queue: a list, and one command for all tasks that come together, instead of the queue's own
 * scripts. A relay takes tasks over from there, within milliseconds where a worker runs. What is lost between the two is
 * put back by the reconciler, like anything a queue loses.
 *
 * @param redis a connection that fails fast.
 */
export function createTaskIntake(
  redis: Redis | Cluster,
  queueName: QueueName,
): TaskIntake & {
  /** Resolves when what was added is in the list, or cannot be brought there. */
  settle(): Promise<void>;
} {
  const key = intakeKey(queueName);
  let last: Promise<unknown> = Promise.resolve();
  const push = createBatches(async (entries: readonly string[]) => {
    await redis.rpush(key, ...entries);
    return entries;
  });
  return {
    add({ tenant, id }, { priority }) {
      const pushed = push(`${tenant} ${id} ${priority}`);
      last = pushed;
      return translated(async () => void (await pushed));
    },
    async settle() {
      await last.catch(() => {});
    },
  };
}

export interface TaskRelay {
  start(): void;
  /** Takes nothing more over; resolves when what was taken is in the queue, or cannot be brought there now. */
  stop(): Promise<void>;
}

const waitSeconds = 0.5;
const batchSize = 500;
const pauseAfterFaultMs = 1_000;
const stopLimitMs = 2_000;

/**
 * Moves tasks from the intake into the queue, in their order. Any number of relays may run.
 *
 * @param deps.redis a connection of its own that waits for Redis as long as it takes.
 */
export function createTaskRelay(
  queueName: QueueName,
  deps: { redis: Redis | Cluster; queue: Pick<TaskQueue, 'add'>; log: Log },
): TaskRelay {
  const { redis, queue } = deps;
  const key = intakeKey(queueName);
  const outage = createOutageLog(deps.log, {
    fields: { queue: queueName.name },
    outage: 'tasks not taken over, the reconciler will do it',
    over: 'tasks are taken over again',
  });
  let stopped = false;
  let running: Promise<void> = Promise.resolve();

  function moveEntry(entry: string): Promise<void> {
    const [tenant = '', id = '', asked] = entry.split(' ');
    const priority = priorities.find((each) => each === asked) ?? 'normal';
    return queue.add({ tenant, id }, { priority });
  }

  async function moveMore(): Promise<void> {
    const entries = (await redis.lpop(key, batchSize)) ?? [];
    await Promise.all(entries.map(moveEntry));
  }

  async function moveSome(): Promise<void> {
    const first = await redis.blpop(key, waitSeconds);
    if (!first) return;
    // A single task, which is most of them, does not wait to hear that no other came with it.
    await Promise.all([moveEntry(first[1]), moveMore()]);
    outage.worked();
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await moveSome().catch(async (error) => {
        if (stopped) return;
        outage.failed(error);
        await sleep(pauseAfterFaultMs);
      });
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      stopped = true;
      // While Redis is away the question is never answered; whoever closes the connection ends it.
      await Promise.race([running, sleep(stopLimitMs)]);
    },
  };
}
