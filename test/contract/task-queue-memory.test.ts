import { expect, it, onTestFinished } from 'vitest';
import type { TaskResult } from '../../src/domain/ports.ts';
import { captured } from '../support/captured-log.ts';
import { emptyQueue } from '../support/queue.ts';
import { startTestRedis } from '../support/redis.ts';

const done: TaskResult = { done: true };
const normal = { priority: 'normal' } as const;
const task = (id: string) => ({ kind: 'run_job', tenant: 'acme', id }) as const;
const ids = ['a', 'b', 'c', 'd'];
const withRetry = { timeout: 30_000 };

it('fetches tasks about once a second while Redis refuses writes, logs it once, and continues without help', async () => {
  const redis = await startTestRedis();
  onTestFinished(() => redis.stop());
  const { queue, consume } = await emptyQueue(redis.path);
  for (const id of ids) await queue.add(task(id), normal);
  await redis.refuseWrites(true);
  const { log, lines } = captured();
  const ran: string[] = [];
  const startedAt = Date.now();
  const callsBefore = await redis.callsOf('evalsha');
  consume(
    async ({ id }) => {
      ran.push(id);
      return done;
    },
    { log },
  );
  const tries = async () => (await redis.callsOf('evalsha')) - callsBefore;
  await expect.poll(tries, withRetry).toBeGreaterThanOrEqual(5);
  // Counts fetches and the less frequent checks for stalled tasks.
  expect(await tries()).toBeLessThanOrEqual(3 + (2 * (Date.now() - startedAt)) / 1000);
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'cannot fetch tasks, retrying'],
  ]);
  expect(ran).toEqual([]);

  await redis.refuseWrites(false);
  await expect.poll(() => ran.toSorted(), withRetry).toEqual(ids);
  await expect.poll(() => lines.length, withRetry).toBe(2);
  expect(lines[1]).toMatchObject({ level: 'info', message: 'fetching tasks again' });
});

it('loses no task that ends while Redis refuses writes', async () => {
  const redis = await startTestRedis();
  onTestFinished(() => redis.stop());
  const { queue, consume } = await emptyQueue(redis.path);
  const ended: string[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let running = 0;
  consume(async ({ id }) => {
    running += 1;
    await released;
    ended.push(id);
    return done;
  });
  for (const id of ids) await queue.add(task(id), normal);
  await expect.poll(() => running, withRetry).toBe(ids.length);
  await redis.refuseWrites(true);
  release();
  await expect.poll(() => new Set(ended).size, withRetry).toBe(ids.length);
  await redis.refuseWrites(false);
  await expect.poll(() => queue.counts(), withRetry).toEqual({ waiting: 0, delayed: 0, active: 0 });
});
