import { inject, onTestFinished } from 'vitest';
import type { CallerPolicy } from '../../src/domain/access-policy.ts';
import type { Log, StopReason, TaskHandler, TaskQueue } from '../../src/domain/ports.ts';
import { ulid } from '../../src/lib/ids.ts';
import {
  createProducerRedis,
  createWorkerRedis,
  type RedisClient,
  whenRedisReady,
} from '../../src/lib/redis/redis.ts';
import { createJobQueue } from '../../src/outbound/queue/job-queue.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createTaskConsumer, type TaskConsumer } from '../../src/outbound/queue/task-consumer.ts';
import { createTaskQueue, type MessageQueue } from '../../src/outbound/queue/task-queue.ts';
import { createTaskRelay, type TaskRelay } from '../../src/outbound/queue/task-relay.ts';
import { silentLog } from './jobs.ts';

/** Lock duration of a task in milliseconds. The deployment uses 10,000. */
export const lockDurationMs = 2_000;

export interface TestQueue {
  queue: TaskQueue & MessageQueue;
  prefix: string;
  /** Reads what Redis stores of a task. */
  stored(taskId: string): Promise<Record<string, string>>;
  /** Starts a consumer that runs the handler. It is drained when the test ends. */
  consume(
    handler: TaskHandler,
    options?: { concurrency?: number; lockDurationMs?: number; log?: Log },
  ): TaskConsumer;
}

/** Removes the keys of a queue, and closes it, after the current test. */
function removeAfterTest(redis: RedisClient, prefix: string, queue: { close(): Promise<void> }): void {
  onTestFinished(async () => {
    const keys = await redis.keys(`*${prefix}*`).catch(() => []);
    if (keys.length > 0) await redis.unlink(...keys).catch(() => 0);
    await queue.close();
    redis.disconnect();
  });
}

/** Creates an empty queue for one test. */
export async function emptyQueue(address = inject('redisPath')): Promise<TestQueue> {
  const prefix = `test-${ulid(Date.now()).toLowerCase()}`;
  const redis = createProducerRedis(address, { onError: () => undefined });
  const name = queueNames(prefix).jobs;
  const queue = createTaskQueue(redis, name);
  await whenRedisReady(redis, 10_000);
  removeAfterTest(redis, prefix, queue);
  return {
    queue,
    prefix,
    stored: (taskId) => redis.hgetall(`${name.prefix}:${name.name}:${taskId}`),
    consume(handler, options = {}) {
      const connection = createWorkerRedis(address, { onError: () => undefined });
      const consumer = createTaskConsumer(
        { queue: name, concurrency: 4, lockDurationMs, ...options },
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

interface WorkerOptions {
  readonly concurrency?: number;
  readonly lockDurationMs?: number;
  readonly log?: Log;
}

/** Creates an empty queue of jobs for one test. Each worker has a relay and a consumer, like a worker process. */
export async function emptyJobQueue(address = inject('redisPath')) {
  const prefix = `test-${ulid(Date.now()).toLowerCase()}`;
  const name = queueNames(prefix).jobs;
  const redis = createProducerRedis(address, { onError: () => undefined });
  const queue = createJobQueue(redis, name);
  await whenRedisReady(redis, 10_000);
  removeAfterTest(redis, prefix, queue);

  const policies = new Map<string, CallerPolicy['tenant'] | CallerPolicy['key']>();
  const policyOf = async (tenant: string, keyId?: string): Promise<CallerPolicy> => ({
    tenant: policies.get(tenant) ?? {},
    key: policies.get(`${tenant} ${keyId}`) ?? {},
  });

  /** Opens a relay that is not started. */
  function openRelay(slots: () => number = () => 0, log: Log = silentLog): TaskRelay {
    const waiting = createWorkerRedis(address, { onError: () => undefined });
    const relay = createTaskRelay(name, {
      ...{ redis: waiting, commands: redis, queue, process: ulid(Date.now()), slots, policyOf, log },
    });
    onTestFinished(async () => {
      await relay.stop();
      waiting.disconnect();
    });
    return relay;
  }

  function startWorker(handler: TaskHandler, { log = silentLog, ...options }: WorkerOptions = {}) {
    const connection = createWorkerRedis(address, { onError: () => undefined });
    const relay = openRelay(() => consumer.slots(), log);
    const consumer = createTaskConsumer(
      { queue: name, concurrency: 4, lockDurationMs, schedule: relay, ...options },
      { redis: connection, log },
      handler,
    );
    relay.start();
    consumer.start();
    onTestFinished(async () => {
      await consumer.drain(0);
      connection.disconnect();
    });
    return { relay, consumer };
  }

  const stored = (taskId: string) => redis.hgetall(`${name.prefix}:${name.name}:${taskId}`);
  return { queue, name, prefix, redis, policies, stored, openRelay, startWorker };
}

/** Resolves with the reason as soon as a task must stop. */
export function untilStopped(signal: AbortSignal): Promise<StopReason> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason as StopReason));
  });
}
