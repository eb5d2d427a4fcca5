import { describe, expect, it, onTestFinished } from 'vitest';
import type { TaskResult } from '../../src/domain/ports.ts';
import { createProducerRedis, whenRedisReady } from '../../src/lib/redis/redis.ts';
import { queueNames } from '../../src/outbound/queue/queue-names.ts';
import { createTaskQueue } from '../../src/outbound/queue/task-queue.ts';
import { emptyQueue, untilStopped } from '../support/queue.ts';
import { startTestRedis } from '../support/redis.ts';

const done: TaskResult = { done: true };
const normal = { priority: 'normal' } as const;
const task = (id: string) => ({ kind: 'run_job', tenant: 'acme', id }) as const;
const withRetry = { timeout: 10_000 };
const empty = { waiting: 0, delayed: 0, active: 0 };

describe('a queue whose Redis is down', () => {
  it('rejects every call of a queue at once while Redis is down, and works again after the restart without help', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const { queue } = await emptyQueue(redis.path);
    await queue.add(task('a'), normal);
    await redis.kill9();
    const calls = () => [
      queue.add(task('b'), normal),
      queue.remove('a'),
      queue.position('a'),
      queue.has(['a']),
      queue.counts(),
    ];
    for (let round = 0; round < 2; round++) {
      const outcomes = await Promise.allSettled(calls());
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } });
    }
    await redis.restart();
    await expect
      .poll(
        () =>
          queue.add(task('b'), normal).then(
            () => true,
            () => false,
          ),
        withRetry,
      )
      .toBe(true);
    expect(await queue.has(['a', 'b'])).toEqual([true, true]);
  });

  it('creates a queue during an outage of Redis, and the queue is usable as soon as Redis is up', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    await redis.kill9();
    const connection = createProducerRedis(redis.path, { onError: () => undefined });
    onTestFinished(() => connection.disconnect());
    const queue = createTaskQueue(connection, queueNames('down').jobs);
    await expect(queue.add(task('a'), normal)).rejects.toMatchObject({ code: 'store_unavailable' });
    await redis.restart();
    expect(await whenRedisReady(connection, 10_000)).toBe(true);
    await queue.add(task('a'), normal);
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1 });
    await queue.close();
  });

  it('lets a consumer continue after a restart of Redis without help', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const { queue, consume } = await emptyQueue(redis.path);
    const ran: string[] = [];
    consume(async ({ id }) => {
      ran.push(id);
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => ran, withRetry).toEqual(['a']);
    await redis.restart();
    await expect
      .poll(
        () =>
          queue.add(task('b'), normal).then(
            () => true,
            () => false,
          ),
        withRetry,
      )
      .toBe(true);
    await expect.poll(() => ran, withRetry).toContain('b');
  });

  it('drains a consumer within a bounded time while Redis is down', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const { queue, consume } = await emptyQueue(redis.path);
    let started = false;
    const consumer = consume(async (_task, signal) => {
      started = true;
      await untilStopped(signal);
      return { againInMs: 0 };
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => started, withRetry).toBe(true);
    await redis.kill9();
    await consumer.drain(0);
    await redis.restart();
  });
});
