import { describe, expect, it } from 'vitest';
import { createTaskQueue } from '../../src/outbound/queue/task-queue.ts';
import { eventually } from '../support/eventually.ts';
import { addMany, startManualWorker, taskOf, tenantsOf } from '../support/job-queue.ts';
import { emptyJobQueue } from '../support/queue.ts';
import { empty, withRetry } from '../support/queue-tasks.ts';

describe('a job queue whose processes fail', () => {
  it('gives a job that waited for a retry the next turn of its tenant, before 1,000 waiting jobs of another', async () => {
    const subject = await emptyJobQueue();
    const worker = startManualWorker(subject, 1);
    const [first] = await addMany(subject, 'acme', { count: 1, priority: 'low' });
    await worker.hasStarted(1);
    await addMany(subject, 'other', { count: 1_000, priority: 'high' });
    worker.endNext({ againInMs: 1, isInterrupted: true });
    await worker.hasStarted(2);
    worker.endNext();
    await worker.hasStarted(3);
    expect(worker.started.slice(1).map(({ id }) => id)).toContain(first?.id);
  });

  it('schedules other tasks if a scheduled one was lost before it reached the queue', async () => {
    const subject = await emptyJobQueue();
    const { queue, redis, name } = subject;
    await queue.registerSlots('killed', 1, 60_000);
    const [lost, next] = await addMany(subject, 'acme', { count: 2 });
    // A process took the task from the schedule eleven seconds ago, and ended before it added the task to the queue.
    const [seconds = 0] = await redis.time();
    await redis.hset(`${name.prefix}:scheduled`, lost?.id ?? '', `${(seconds - 11) * 1000} acme 2 -`);
    await redis.hset(`${name.prefix}:running`, 'acme', '1');
    await redis.hdel(`${name.prefix}:tasks`, lost?.id ?? '');
    await redis.zrem(`${name.prefix}:backlog`, `acme 2 ${lost?.id}`);
    await queue.schedule({ maxTasks: 10 });
    expect(await redis.exists(`${name.prefix}:jobs:${next?.id}`)).toBe(0);
    await queue.correct(1);
    await queue.schedule({ maxTasks: 10 });
    expect(await redis.exists(`${name.prefix}:jobs:${next?.id}`)).toBe(1);
    expect(await queue.has([lost?.id ?? ''])).toEqual([false]);
  });

  it('uses the slots of a stopped worker no more', async () => {
    const subject = await emptyJobQueue();
    const { queue } = subject;
    expect(await queue.registerSlots('one', 4, 60_000)).toBe(4);
    expect(await queue.registerSlots('two', 3, 60_000)).toBe(7);
    expect(await queue.registerSlots('one', 0, 60_000)).toBe(3);
    expect(await queue.registerSlots('gone', 5, 1)).toBe(8);
    await eventually(async () => expect(await queue.registerSlots('two', 2, 60_000)).toBe(2));
  });

  it('runs the tasks that an earlier release added to the queue, and they do not delay a new tenant', async () => {
    const subject = await emptyJobQueue();
    const { queue, redis, name } = subject;
    const earlier = createTaskQueue(redis, name);
    const old = Array.from({ length: 500 }, () => taskOf('old'));
    await Promise.all(old.map((task, no) => earlier.add(task, { priority: no < 450 ? 'normal' : 'high' })));
    expect(await queue.counts()).toEqual({ ...empty, waiting: 500 });
    const worker = startManualWorker(subject, 1);
    await worker.hasStarted(1);
    await addMany(subject, 'new', { count: 1 });
    await expect.poll(() => redis.hlen(`${name.prefix}:tasks`), withRetry).toBeGreaterThan(490);
    for (let count = 2; count <= 4; count += 1) {
      worker.endNext();
      await worker.hasStarted(count);
    }
    expect(tenantsOf(worker.started)).toContain('new');
    // The schedule preserves the priority of these tasks.
    const high = new Set(old.slice(450).map(({ id }) => id));
    expect(worker.started.filter(({ id }) => high.has(id)).length).toBeGreaterThanOrEqual(3);
    expect((await queue.has(old.map(({ id }) => id))).filter(Boolean).length).toBeGreaterThanOrEqual(497);
  });

  it('reads values of its schedule to which a newer release has added parts, and counts their tasks', async () => {
    const subject = await emptyJobQueue();
    const { queue, redis, name } = subject;
    const hash = (rest: string) => `${name.prefix}:${rest}`;
    const isScheduled = (ids: readonly string[]) => redis.hmget(hash('scheduled'), ...ids);
    const addParts = async (key: string) => {
      for (const [field, value] of Object.entries(await redis.hgetall(key)))
        await redis.hset(key, field, `${value} flex`);
    };
    const ids = (await addMany(subject, 'acme', { count: 3, keyId: 'key_1' })).map(({ id }) => id);
    await redis.del(hash('unchecked'));
    await redis.hset(hash('policies'), { acme: '3 9', 'acme key_1': '1' });
    for (const key of ['tasks', 'policies']) await addParts(hash(key));
    await queue.registerSlots('newer', 1, 60_000);
    await addParts(hash('slots'));
    expect(await queue.registerSlots('worker', 2, 60_000)).toBe(3);
    expect((await queue.workers()).map(({ slots }) => slots).toSorted()).toEqual([1, 2]);
    expect(await queue.position(ids[2] ?? '')).toBe(2);
    await queue.schedule({ maxTasks: 3 });
    expect((await isScheduled(ids)).map((held) => held !== null)).toEqual([true, false, false]);
    expect(await queue.remove(ids[1] ?? '')).toBe(true);

    await addParts(hash('scheduled'));
    await redis.del(`${name.prefix}:${name.name}:${ids[0]}`);
    await queue.schedule({ ended: [{ id: ids[0] ?? '' }], maxTasks: 3 });
    expect((await isScheduled(ids)).map((held) => held !== null)).toEqual([false, false, true]);
    expect(await redis.hgetall(hash('running'))).toEqual({ acme: '1', 'acme key_1': '1' });
  });
});
