import { inject, onTestFinished } from 'vitest';
import type { Task } from '../../src/domain/ports.ts';
import { createTaskDispatcher } from '../../src/inbound/worker/dispatch-task.ts';
import { createTaskHandlers } from '../../src/inbound/worker/task-handlers.ts';
import { createWorkerRedis } from '../../src/lib/redis/redis.ts';
import type { QueueName } from '../../src/outbound/queue/queue-names.ts';
import { createTaskConsumer } from '../../src/outbound/queue/task-consumer.ts';
import { silentLog } from './jobs.ts';

type Handlers = Pick<Parameters<typeof createTaskHandlers>[0], 'dispatchEvent' | 'deliverPending'>;

/** Consumes a real webhook queue, as a worker process does. @returns a function with the number of running tasks. */
export function consumeWebhooks(queue: QueueName, concurrency: number, handlers: Handlers) {
  const connection = createWorkerRedis(inject('redisPath'), { onError: () => undefined });
  const work = createTaskDispatcher(
    createTaskHandlers({
      dispatchEvent: handlers.dispatchEvent,
      deliverPending: handlers.deliverPending,
      runJob: () => Promise.reject(new Error('no job runs here')),
      onDone: () => {},
      log: silentLog,
    }),
  );
  let running = 0;
  const handler = async (task: Task, signal: AbortSignal) => {
    running += 1;
    return work(task, signal).finally(() => running--);
  };
  const consumer = createTaskConsumer(
    { queue, concurrency, lockDurationMs: 10_000 },
    { redis: connection, log: silentLog },
    handler,
  );
  consumer.start();
  onTestFinished(async () => {
    await consumer.drain(0);
    connection.disconnect();
  });
  return { running: () => running };
}
