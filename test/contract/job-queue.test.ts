import { describe, expect, it, onTestFinished } from 'vitest';
import type { Task } from '../../src/domain/ports.ts';
import { addMany, startManualWorker, taskOf, tenantsOf } from '../support/job-queue.ts';
import { emptyJobQueue } from '../support/queue.ts';
import { done, empty, withRetry } from '../support/queue-tasks.ts';
import { startTestRedis } from '../support/redis.ts';

describe('the turns of tenants', () => {
  it.each([1, 4, 16])(
    'starts the low job of a tenant before the second next high job of a tenant with 10,000, with %i slots',
    async (slots) => {
      const subject = await emptyJobQueue();
      await addMany(subject, 'large', { count: 10_000, priority: 'high' });
      const worker = startManualWorker(subject, slots);
      await worker.hasStarted(slots);
      await addMany(subject, 'small', { count: 1, priority: 'low' });
      worker.endNext();
      await worker.hasStarted(slots + 1);
      worker.endNext();
      await worker.hasStarted(slots + 2);
      expect(tenantsOf(worker.started.slice(slots))).toContain('small');
    },
  );

  it('serves three tenants in turns, and the jobs of each by priority and then by age', async () => {
    const subject = await emptyJobQueue();
    const low = await addMany(subject, 'a', { count: 1, priority: 'low' });
    const normal = await addMany(subject, 'a', { count: 2 });
    const high = await addMany(subject, 'a', { count: 1, priority: 'high' });
    await addMany(subject, 'b', { count: 4 });
    await addMany(subject, 'c', { count: 4 });
    const ran: Task[] = [];
    subject.startWorker(
      async (task) => {
        ran.push(task);
        return done;
      },
      { concurrency: 1 },
    );
    await expect.poll(() => ran.length, withRetry).toBe(12);
    expect(tenantsOf(ran).join('')).toBe('abc'.repeat(4));
    expect(ran.filter(({ tenant }) => tenant === 'a')).toEqual([...high, ...normal, ...low]);
  });

  it('gives a tenant that always adds its next job late no more than its share', async () => {
    const subject = await emptyJobQueue();
    await addMany(subject, 'backlog', { count: 40 });
    const ran: Task[] = [];
    const next = () => addMany(subject, 'single', { count: 1 });
    await next();
    subject.startWorker(
      async (task) => {
        ran.push(task);
        if (task.tenant === 'single') await next();
        return done;
      },
      { concurrency: 1 },
    );
    await expect.poll(() => ran.length, withRetry).toBeGreaterThanOrEqual(40);
    const share = ran.slice(0, 40).filter(({ tenant }) => tenant === 'single').length;
    expect(share).toBeGreaterThanOrEqual(18);
    expect(share).toBeLessThanOrEqual(21);
  });

  it('moves only the tasks of free slots into the queue, with two workers', async () => {
    const subject = await emptyJobQueue();
    const workers = [startManualWorker(subject, 2), startManualWorker(subject, 3)];
    await addMany(subject, 'acme', { count: 50 });
    const started = () => workers.reduce((sum, worker) => sum + worker.started.length, 0);
    await expect.poll(started, withRetry).toBe(5);
    expect(await subject.redis.zcard(`${subject.name.prefix}:jobs:prioritized`)).toBe(0);
    expect(await subject.queue.counts()).toEqual({ waiting: 45, delayed: 0, active: 5 });
    workers[1]?.endNext();
    await expect.poll(started, withRetry).toBe(6);
  });
});

describe('waiting jobs', () => {
  it('shows the position of each job as the number of jobs that start before it', async () => {
    const subject = await emptyJobQueue();
    const { queue } = subject;
    const low = await addMany(subject, 'a', { count: 1, priority: 'low' });
    const high = await addMany(subject, 'a', { count: 3, priority: 'high' });
    const b = await addMany(subject, 'b', { count: 2 });
    const c = await addMany(subject, 'c', { count: 1 });
    const all = [...low, ...high, ...b, ...c];
    const positions = new Map(
      await Promise.all(all.map(async (task) => [task.id, await queue.position(task.id)] as const)),
    );
    const ran: string[] = [];
    subject.startWorker(
      async ({ id }) => {
        ran.push(id);
        return done;
      },
      { concurrency: 1 },
    );
    await expect.poll(() => ran.length, withRetry).toBe(all.length);
    expect(ran.map((id) => positions.get(id))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('reads positions that callers ask for at the same time in shared calls, and each as if it was read alone', async () => {
    const server = await startTestRedis();
    onTestFinished(server.stop);
    const subject = await emptyJobQueue(server.path);
    const { queue } = subject;
    const a = await addMany(subject, 'a', { count: 40 });
    const b = await addMany(subject, 'b', { count: 40 });
    const ids = [...a, ...b].map(({ id }) => id);
    const alone: (number | null)[] = [];
    for (const id of ids) alone.push(await queue.position(id));
    const before = await server.callsOf('evalsha');
    const asked = [...ids, ...ids.slice(0, 10), 'unknown'];
    const together = await Promise.all(asked.map((id) => queue.position(id)));
    expect(together).toEqual([...alone, ...alone.slice(0, 10), null]);
    expect(new Set(together).size).toBe(81);
    expect((await server.callsOf('evalsha')) - before).toBeLessThanOrEqual(4);
  });

  it('estimates the position of a job behind those of 100 tenants', async () => {
    const subject = await emptyJobQueue();
    for (let no = 0; no < 100; no += 1) await addMany(subject, `tenant${no}`, { count: 3 });
    const [, second] = await addMany(subject, 'zeta', { count: 2 });
    const position = await subject.queue.position(second?.id ?? '');
    expect(position).toBeGreaterThanOrEqual(180);
    expect(position).toBeLessThanOrEqual(220);
  });

  it('removes a waiting, a delayed and no running job, and reports which tasks it contains', async () => {
    const subject = await emptyJobQueue();
    const { queue } = subject;
    const worker = startManualWorker(subject, 1);
    const [first, second, third] = await addMany(subject, 'acme', { count: 3 });
    await worker.hasStarted(1);
    const idsOf = [first?.id ?? '', second?.id ?? '', third?.id ?? ''];
    expect(await queue.has([...idsOf, 'img_never'])).toEqual([true, true, true, false]);
    expect(await queue.remove(idsOf[1] ?? '')).toBe(true);
    expect(await queue.remove(idsOf[1] ?? '')).toBe(false);
    await expect(queue.remove(idsOf[0] ?? '')).resolves.toBe(false);
    worker.endNext({ againInMs: 60_000 });
    await worker.hasStarted(2);
    expect(worker.started.map(({ id }) => id)).toEqual([idsOf[0], idsOf[2]]);
    expect(await queue.counts()).toEqual({ waiting: 0, delayed: 1, active: 1 });
    expect(await queue.remove(idsOf[0] ?? '')).toBe(true);
    expect(await queue.counts()).toEqual({ ...empty, active: 1 });
  });

  it('adds a task once, however often it is added and whether it waits or runs', async () => {
    const subject = await emptyJobQueue();
    const { queue } = subject;
    const task = taskOf('acme');
    await Promise.all(Array.from({ length: 20 }, () => queue.add(task, { priority: 'normal' })));
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1 });
    const worker = startManualWorker(subject, 2);
    await worker.hasStarted(1);
    await queue.add(task, { priority: 'high' });
    expect(await queue.counts()).toEqual({ ...empty, active: 1 });
    worker.endNext();
    await expect.poll(() => queue.has([task.id]), withRetry).toEqual([false]);
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
    await queue.add(task, { priority: 'normal' });
    await worker.hasStarted(2);
  });
});
