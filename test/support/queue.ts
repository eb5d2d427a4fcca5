import { inject, onTestFinished } from 'vitest';
import type { Log, StopReason, Task, TaskQueue, TaskResult } from '../../src/domain/ports.ts';
import { ulid } from '../../src/lib/ids.ts';
import { createProducerRedis, createWorkerRedis, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { createTaskConsumer, type TaskConsumer } from '../../src/outbound/queue/task-consumer.ts';
import { createTaskQueue, queueNames } from '../../src/outbound/queue/task-queue.ts';
import { silentLog } from './jobs.ts';

/** Milliseconds that a dead consumer keeps its tasks; the deployment uses 10,000. */
export const lockDurationMs = 2_000;

export interface TestQueue {
  queue: TaskQueue;
  prefix: string;
  /** What Redis keeps of a task. */
  kept(id: string): Promise<Record<string, string>>;
  /** Starts a consumer that runs the handler; it is drained when the test ends, unless the test did so before. */
  consume(
    handler: (task: Task, signal: AbortSignal) => Promise<TaskResult>,
    options?: { concurrency?: number; log?: Log },
  ): TaskConsumer;
}

/** An empty queue of one test. */
export async function emptyQueue(address = inject('redisPath')): Promise<TestQueue> {
  const prefix = `test-${ulid(Date.now()).toLowerCase()}`;
  const redis = createProducerRedis(address, { onError: () => undefined });
  const name = queueNames(prefix).images;
  const queue = createTaskQueue(redis, name);
  await whenRedisReady(redis, 10_000);
  onTestFinished(async () => {
    const keys = await redis.keys(`*${prefix}*`).catch(() => []);
    if (keys.length > 0) await redis.unlink(...keys).catch(() => 0);
    await queue.close();
    redis.disconnect();
  });
  return {
    queue,
    prefix,
    kept: (id) => redis.hgetall(`${name.prefix}:${name.name}:${id}`),
    consume(handler, options = {}) {
      const connection = createWorkerRedis(address, { onError: () => undefined });
      const consumer = createTaskConsumer(
        { queue: name, concurrency: options.concurrency ?? 4, lockDurationMs },
        { redis: connection, log: options.log ?? silentLog },
        handler,
      );
      consumer.start();
      onTestFinished(async () => {
        await consumer.drain(0);
        connection.disconnect();
      });
      return consumer;
    },
  };
}

/** A handler's part that lasts until it is told to stop; resolves with the reason. */
export function untilStopped(signal: AbortSignal): Promise<StopReason> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason as StopReason));
  });
}
