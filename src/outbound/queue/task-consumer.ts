import { type Job, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import type { Log, StopReason, TaskHandler } from '../../domain/ports.ts';
import { createOutageLog } from '../../lib/outage-log.ts';
import { type BlockingClient, createBackoffBackend } from './backoff-backend.ts';
import type { QueueName } from './queue-names.ts';
import { createTaskRunner } from './task-runner.ts';
import type { TaskSchedule } from './task-schedule.ts';

export interface TaskConsumer {
  /** Starts fetching tasks, or continues after a pause. Does nothing after a drain began. */
  start(): void;
  /** Stops fetching tasks until the next start. Running tasks continue. */
  pause(): void;
  /** Returns whether the connection for blocking reads is open. */
  isConnected(): boolean;
  /** Returns the number of tasks that this process runs at most. After a pause or a drain: the number that it still runs. */
  slots(): number;
  /** Aborts the task with this id if it runs in this process. */
  cancel(taskId: string): void;
  /**
   * Stops fetching, lets running tasks finish for `graceMs`, then returns the remaining ones to the queue and closes.
   * Resolves within a bounded time.
   */
  drain(graceMs: number): Promise<void>;
}

interface ConsumerConfig {
  readonly queue: QueueName;
  readonly concurrency: number;
  /** Milliseconds after which another process may take over a task of a dead process. */
  readonly lockDurationMs: number;
  /** The schedule that fills the queue, if one does. */
  readonly schedule?: TaskSchedule;
}

/**
 * Pause after a failed fetch, in milliseconds. BullMQ would wait 15 s after the loss of its connection, and not at all
 * after any other error.
 */
const fetchRetryMs = 1_000;

/**
 * Checks for expired locks during one lock. A task may wait for two of them after its lock has expired, because BullMQ lets
 * one process check per interval, and that process may be the killed one.
 */
const stallChecksPerLock = 4;

/** Maximum time for returning tasks to the queue, in milliseconds. After it the lock expires and another process takes over. */
const releaseLimitMs = 5_000;

/**
 * Creates the consuming side of a queue. The result of the handler decides whether a task runs again. BullMQ's own retries
 * and failure states are not used, because a retry may cost money and only the record has the facts.
 *
 * @param deps.redis a connection of its own that waits during an outage of Redis.
 */
export function createTaskConsumer(
  config: ConsumerConfig,
  deps: { redis: Redis | Cluster; log: Log },
  handler: TaskHandler,
): TaskConsumer {
  const running = new Set<Promise<unknown>>();
  const fields = { queue: config.queue.name };
  let draining = false;
  let isStarted = false;
  let isPaused = false;
  let blocking: BlockingClient | undefined;

  const runTask = createTaskRunner({
    fields,
    log: deps.log,
    handler,
    // A fetch that was in flight when the drain or the pause began may still return a task.
    isStopping: () => draining || isPaused,
    schedule: config.schedule,
  });

  const outage = createOutageLog(deps.log, {
    fields,
    outage: 'cannot fetch tasks, retrying',
    over: 'fetching tasks again',
  });
  const worker = new Worker(
    config.queue.name,
    (job, token, signal) => {
      const work = runTask.run(job, token, signal);
      running.add(work);
      const done = () => void running.delete(work);
      work.then(done, done);
      return work;
    },
    workerOptions(config, deps.redis),
    createBackoffBackend({
      pauseMs: fetchRetryMs,
      onFetch: outage.worked,
      onBlockingClient(client) {
        blocking = client;
      },
    }),
  );
  worker.on('error', outage.failed);
  watchTasks(worker, (job) => config.schedule?.onSlotFree(job?.id, job && runTask.returnOf(job)));

  const settled = () => Promise.allSettled([...running]);

  return {
    start() {
      if (draining) return;
      isPaused = false;
      if (isStarted) return worker.resume();
      isStarted = true;
      worker.run().catch((error) => deps.log.error({ ...fields, err: error }, 'consumer stopped'));
    },
    pause() {
      isPaused = true;
      worker.pause(true).catch((error) => deps.log.error({ ...fields, err: error }, 'consumer not paused'));
    },
    isConnected: () => blocking?.status === 'ready',
    slots: () => (draining || isPaused ? running.size : config.concurrency),
    cancel(taskId) {
      worker.cancelJob(taskId, 'canceled' satisfies StopReason);
    },
    async drain(graceMs) {
      draining = true;
      await worker.pause(true);
      await within(settled(), graceMs);
      worker.cancelAllJobs('draining' satisfies StopReason);
      const clean = await within(settled(), releaseLimitMs);
      // Without a connection a clean close would wait for one.
      const canSettle = clean && blocking?.status === 'ready';
      await within(worker.close(!canSettle), releaseLimitMs);
      if (blocking) retire(blocking);
    },
  };
}

/** Reports the ends of tasks, and aborts tasks whose lock is lost. */
function watchTasks(worker: Worker, onEnd: (job: Job | undefined) => void): void {
  worker.on('completed', onEnd);
  worker.on('failed', onEnd);
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) worker.cancelJob(id, 'lock_lost' satisfies StopReason);
  });
}

function workerOptions({ queue, concurrency, lockDurationMs }: ConsumerConfig, redis: Redis | Cluster) {
  return {
    connection: redis,
    prefix: queue.prefix,
    concurrency,
    lockDuration: lockDurationMs,
    stalledInterval: lockDurationMs / stallChecksPerLock,
    runRetryDelay: fetchRetryMs,
    // A deploy or a crash must never fail a job; the record counts the crashes of its runs.
    maxStalledCount: 1_000_000,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
    autorun: false,
    skipVersionCheck: true,
  };
}

/** Ends a connection for good. After an outage BullMQ may connect it once more, although its worker is closed. */
function retire(client: BlockingClient): void {
  client.on('error', () => {});
  client.on('connecting', () => client.disconnect());
  client.disconnect();
}

/** Waits for a promise for a limited time. Returns whether the promise was fulfilled by then. */
async function within(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const done = await Promise.race([work.then(() => true as const), limit]);
  clearTimeout(timer);
  return done;
}
