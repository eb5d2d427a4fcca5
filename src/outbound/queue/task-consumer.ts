import { DelayedError, type Job, WaitingError, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import type { Log, StopReason, Task, TaskResult } from '../../domain/ports.ts';
import { createOutageLog } from '../../lib/outage-log.ts';
import { createBackoffBackend } from './backoff-backend.ts';
import type { QueueName } from './task-queue.ts';

const TaskData = z.object({ tenant: z.string(), id: z.string() });

export interface TaskConsumer {
  /** Starts taking tasks. */
  start(): void;
  /** Tells the task with this id to stop, if it runs in this process. */
  cancel(id: string): void;
  /**
   * Takes no new task from now on, lets running ones finish for `graceMs`, then has the rest handed back to the queue,
   * and closes.
   */
  drain(graceMs: number): Promise<void>;
}

interface ConsumerConfig {
  readonly queue: QueueName;
  readonly concurrency: number;
  /** Milliseconds after which a task of a dead process may be taken by another. */
  readonly lockDurationMs: number;
}

/** A failed handler is tried again after this pause; the record says whether there is still something to do. */
const pauseAfterFaultMs = 5_000;

/**
 * How soon a consumer asks for a task again that could not ask, or got an error. BullMQ would wait 15 s after the loss of
 * its connection, and not at all after any other error.
 */
const fetchAgainMs = 1_000;

/** Handed-back tasks need a moment for their records; then the process leaves whatever is left to the lock's end. */
const handBackLimitMs = 5_000;

/**
 * The consuming side of a queue. Handlers decide by their result what becomes of a task; BullMQ's own retries and
 * failure states are not used, since a retry may cost money and only the record knows.
 *
 * @param redis a connection of its own that waits for Redis as long as it takes.
 */
export function createTaskConsumer(
  config: ConsumerConfig,
  deps: { redis: Redis | Cluster; log: Log },
  handler: (task: Task, signal: AbortSignal) => Promise<TaskResult>,
): TaskConsumer {
  const running = new Set<Promise<unknown>>();
  let draining = false;

  async function run(task: Task, signal: AbortSignal): Promise<TaskResult> {
    // A fetch that was already waiting when the draining began still brings a task.
    if (draining) return { againInMs: 0 };
    try {
      return await handler(task, signal);
    } catch (error) {
      deps.log.error(
        { err: error, job_id: task.id, queue: config.queue.name },
        'task failed, will be tried again',
      );
      return { againInMs: pauseAfterFaultMs };
    }
  }

  async function process(
    job: Job,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const task = TaskData.parse(job.data);
    const result = await run(task, signal ?? new AbortController().signal);
    if (!('againInMs' in result)) return;
    if (result.againInMs > 0) {
      await job.moveToDelayed(Date.now() + result.againInMs, token);
      throw new DelayedError();
    }
    await job.moveToWait(token);
    throw new WaitingError();
  }

  const outage = createOutageLog(deps.log, {
    fields: { queue: config.queue.name },
    outage: 'the queue gives no tasks, trying again',
    over: 'the queue works again',
  });
  const worker = new Worker(
    config.queue.name,
    (job, token, signal) => {
      const work = process(job, token, signal);
      running.add(work);
      const done = () => void running.delete(work);
      work.then(done, done);
      return work;
    },
    {
      connection: deps.redis,
      prefix: config.queue.prefix,
      concurrency: config.concurrency,
      lockDuration: config.lockDurationMs,
      stalledInterval: config.lockDurationMs / 2,
      runRetryDelay: fetchAgainMs,
      // A deploy or a crash must never fail a job by itself; the record counts executions.
      maxStalledCount: 1_000_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      autorun: false,
      skipVersionCheck: true,
    },
    createBackoffBackend({ pauseMs: fetchAgainMs, onFetch: outage.worked }),
  );
  worker.on('error', outage.failed);
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lock_lost' satisfies StopReason);
  });

  const settled = () => Promise.allSettled([...running]);

  return {
    start() {
      worker
        .run()
        .catch((error) => deps.log.error({ err: error, queue: config.queue.name }, 'consumer stopped'));
    },
    cancel(id) {
      worker.cancelJob(id, 'canceled' satisfies StopReason);
    },
    async drain(graceMs) {
      draining = true;
      await worker.pause(true);
      await within(settled(), graceMs);
      worker.cancelAllJobs('draining' satisfies StopReason);
      const clean = await within(settled(), handBackLimitMs);
      await within(worker.close(!clean), handBackLimitMs);
    },
  };
}

/** Waits for a promise for a limited time; says whether it was done by then. */
async function within(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const done = await Promise.race([work.then(() => true as const), limit]);
  clearTimeout(timer);
  return done;
}
