import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { StopReason, TaskResult } from '../../src/domain/ports.ts';
import { createProducerRedis, whenRedisReady } from '../../src/lib/redis.ts';
import { createTaskQueue, queueNames } from '../../src/outbound/queue/task-queue.ts';
import { emptyQueue, lockDurationMs, untilStopped } from '../support/queue.ts';
import { startTestRedis } from '../support/redis.ts';

const done: TaskResult = { done: true };
const normal = { priority: 'normal' } as const;
const task = (id: string) => ({ tenant: 'acme', id });
const patiently = { timeout: 10_000 };
const empty = { waiting: 0, delayed: 0, active: 0 };

describe('adding a task', () => {
  it('twice queues it once', async () => {
    const { queue, consume } = await emptyQueue();
    await Promise.all(Array.from({ length: 20 }, () => queue.add(task('a'), normal)));
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1 });
    const ran: string[] = [];
    consume(async ({ tenant, id }) => {
      ran.push(`${tenant} ${id}`);
      return done;
    });
    await expect.poll(() => queue.counts(), patiently).toEqual(empty);
    expect(ran).toEqual(['acme a']);
  });

  it('that is running changes nothing; one that is done is queued again', async () => {
    const { queue, consume } = await emptyQueue();
    const ran: string[] = [];
    let release = () => {};
    consume(async ({ id }) => {
      ran.push(id);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => ran.length, patiently).toBe(1);
    await queue.add(task('a'), normal);
    expect(await queue.counts()).toEqual({ ...empty, active: 1 });
    release();
    await expect.poll(() => queue.has(['a']), patiently).toEqual([false]);
    await queue.add(task('a'), normal);
    await expect.poll(() => ran.length, patiently).toBe(2);
    release();
    await expect.poll(() => queue.counts(), patiently).toEqual(empty);
  });

  it('with a delay keeps it back', async () => {
    const { queue, consume } = await emptyQueue();
    const ran: string[] = [];
    consume(async ({ id }) => {
      ran.push(id);
      return done;
    });
    await queue.add(task('later'), { ...normal, delayMs: 60_000 });
    await queue.add(task('now'), normal);
    await expect.poll(() => ran, patiently).toEqual(['now']);
    expect(await queue.counts()).toMatchObject({ delayed: 1 });
    expect(await queue.has(['later', 'now', 'never'])).toEqual([true, expect.any(Boolean), false]);
  });
});

describe('waiting tasks', () => {
  it('have a place by priority and then by age, and can be taken out', async () => {
    const { queue } = await emptyQueue();
    for (const [id, priority] of [
      ['n1', 'normal'],
      ['l1', 'low'],
      ['h1', 'high'],
      ['n2', 'normal'],
      ['h2', 'high'],
    ] as const)
      await queue.add(task(id), { priority });
    const order = ['h1', 'h2', 'n1', 'n2', 'l1'];
    expect(await Promise.all(order.map((id) => queue.position(id)))).toEqual([0, 1, 2, 3, 4]);
    expect(await queue.remove('h2')).toBe(true);
    expect(await queue.remove('h2')).toBe(false);
    expect(await queue.position('n1')).toBe(1);
    expect(await queue.position('h2')).toBeNull();
    expect(await queue.counts()).toEqual({ ...empty, waiting: 4 });
    expect(await queue.has(['h2', 'n1'])).toEqual([false, true]);
  });

  it('run in that order', async () => {
    const { queue, consume } = await emptyQueue();
    for (const [id, priority] of [
      ['l1', 'low'],
      ['n1', 'normal'],
      ['h1', 'high'],
      ['n2', 'normal'],
    ] as const)
      await queue.add(task(id), { priority });
    const ran: string[] = [];
    consume(
      async ({ id }) => {
        ran.push(id);
        return done;
      },
      { concurrency: 1 },
    );
    await expect.poll(() => ran, patiently).toEqual(['h1', 'n1', 'n2', 'l1']);
  });

  it('that are delayed have no place and can be taken out', async () => {
    const { queue } = await emptyQueue();
    await queue.add(task('a'), { ...normal, delayMs: 60_000 });
    expect(await queue.position('a')).toBeNull();
    expect(await queue.remove('a')).toBe(true);
    expect(await queue.counts()).toEqual(empty);
  });

  it('of other ids do not matter to questions about none', async () => {
    const { queue } = await emptyQueue();
    expect(await queue.has([])).toEqual([]);
    expect(await queue.remove('never')).toBe(false);
    expect(await queue.position('never')).toBeNull();
  });
});

describe('a running task', () => {
  it('has no place and cannot be taken out', async () => {
    const { queue, consume } = await emptyQueue();
    let running = false;
    consume(async (_task, signal) => {
      running = true;
      await untilStopped(signal);
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => running, patiently).toBe(true);
    expect(await queue.position('a')).toBeNull();
    expect(await queue.remove('a')).toBe(false);
    expect(await queue.has(['a'])).toEqual([true]);
  });

  it('that asks for a delay comes back after it, with its place in the queue', async () => {
    const { queue, consume } = await emptyQueue();
    const ran: number[] = [];
    consume(async () => {
      ran.push(performance.now());
      return ran.length === 1 ? { againInMs: 300 } : done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => queue.counts(), { ...patiently, interval: 10 }).toEqual({ ...empty, delayed: 1 });
    await expect.poll(() => ran.length, patiently).toBe(2);
    expect((ran[1] ?? 0) - (ran[0] ?? 0)).toBeGreaterThanOrEqual(299);
    await expect.poll(() => queue.counts(), patiently).toEqual(empty);
  });

  it('that is handed back waits in its place for whoever is free', async () => {
    const { queue, consume } = await emptyQueue();
    await queue.add(task('a'), { priority: 'high' });
    let handedBack = false;
    const first = consume(async (_task, signal) => {
      await untilStopped(signal);
      handedBack = true;
      return { againInMs: 0 };
    });
    await expect.poll(() => queue.counts(), patiently).toMatchObject({ active: 1 });
    await queue.add(task('b'), normal);
    await first.drain(0);
    expect(handedBack).toBe(true);
    expect([await queue.position('a'), await queue.position('b')]).toEqual([0, 1]);
    expect(await queue.remove('a')).toBe(true);
  });

  it('that throws is tried again and never lost', async () => {
    const { queue, consume } = await emptyQueue();
    let tries = 0;
    consume(async () => {
      tries += 1;
      if (tries === 1) throw new Error('the handler is broken');
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => queue.counts(), patiently).toEqual({ ...empty, delayed: 1 });
    await expect.poll(() => tries, patiently).toBe(2);
    await expect.poll(() => queue.counts(), patiently).toEqual(empty);
  });

  it('is told to stop by its id, with the reason', async () => {
    const { queue, consume } = await emptyQueue();
    const stopped: [string, StopReason][] = [];
    const started: string[] = [];
    const consumer = consume(async ({ id }, signal) => {
      started.push(id);
      stopped.push([id, await untilStopped(signal)]);
      return done;
    });
    await queue.add(task('a'), normal);
    await queue.add(task('b'), normal);
    await expect.poll(() => started.length, patiently).toBe(2);
    consumer.cancel('unknown');
    consumer.cancel('a');
    await expect.poll(() => stopped, patiently).toEqual([['a', 'canceled']]);
    await expect.poll(() => queue.has(['a', 'b']), patiently).toEqual([false, true]);
  });
});

describe('draining', () => {
  it('lets running work finish, and takes no new task', async () => {
    const { queue, consume } = await emptyQueue();
    const ran: string[] = [];
    let release = () => {};
    const consumer = consume(
      async ({ id }, signal) => {
        ran.push(id);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        expect(signal.aborted).toBe(false);
        return done;
      },
      { concurrency: 2 },
    );
    await queue.add(task('a'), normal);
    await expect.poll(() => ran, patiently).toEqual(['a']);
    const drained = consumer.drain(10_000);
    await queue.add(task('b'), normal);
    release();
    await drained;
    expect(ran).toEqual(['a']);
    expect(await queue.has(['a', 'b'])).toEqual([false, true]);
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1 });
  });

  it('then stops the rest and hands it back, so that another consumer has it within seconds', async () => {
    const { queue, consume } = await emptyQueue();
    const reasons: StopReason[] = [];
    const first = consume(async (_task, signal) => {
      reasons.push(await untilStopped(signal));
      return { againInMs: 0 };
    });
    await queue.add(task('a'), normal);
    await queue.add(task('b'), normal);
    await expect.poll(() => queue.counts(), patiently).toEqual({ ...empty, active: 2 });
    const elsewhere: string[] = [];
    await first.drain(50);
    expect(reasons).toEqual(['draining', 'draining']);
    const handedBackAt = performance.now();
    consume(async ({ id }) => {
      elsewhere.push(id);
      return done;
    });
    await expect.poll(() => elsewhere.toSorted(), patiently).toEqual(['a', 'b']);
    expect(performance.now() - handedBackAt).toBeLessThan(3_000);
  });

  it('an idle consumer ends at once', async () => {
    const { queue, consume } = await emptyQueue();
    const consumer = consume(async () => done);
    await queue.add(task('a'), normal);
    await expect.poll(() => queue.counts(), patiently).toEqual(empty);
    const started = performance.now();
    await consumer.drain(30_000);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('a consumer that is killed', () => {
  it('loses none of its tasks: others run them once its lock is over', async () => {
    const { queue, prefix, consume } = await emptyQueue();
    const program = join(import.meta.dirname, '../support/task-consumer-process.ts');
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', program, inject('redisPath'), prefix, String(lockDurationMs)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await queue.add(task(id), normal);
    const taken: string[] = [];
    createInterface(child.stdout).on('line', (line) => taken.push(line));
    await expect.poll(() => taken.toSorted(), { timeout: 20_000 }).toEqual(ids);
    child.kill('SIGKILL');
    await ended;
    const ran: string[] = [];
    consume(async ({ id }) => {
      ran.push(id);
      return done;
    });
    await expect.poll(() => ran.toSorted(), { timeout: 20_000 }).toEqual(ids);
    await expect.poll(() => queue.counts(), patiently).toEqual(empty);
  });
});

describe('while Redis is down', () => {
  it('every question and every task fails fast, and works again by itself', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const { queue } = await emptyQueue(redis.path);
    await queue.add(task('a'), normal);
    await redis.kill9();
    const questions = () => [
      queue.add(task('b'), normal),
      queue.remove('a'),
      queue.position('a'),
      queue.has(['a']),
      queue.counts(),
    ];
    for (let round = 0; round < 2; round++) {
      const started = performance.now();
      const outcomes = await Promise.allSettled(questions());
      expect(performance.now() - started).toBeLessThan(1_000);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } });
    }
    await redis.restart();
    await expect.poll(() => queue.add(task('b'), normal).then(() => true, () => false), patiently).toBe(true);
    expect(await queue.has(['a', 'b'])).toEqual([true, true]);
  });

  it('a queue can be built, and is usable as soon as Redis is there', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    await redis.kill9();
    const connection = createProducerRedis(redis.path, { onError: () => undefined });
    onTestFinished(() => connection.disconnect());
    const queue = createTaskQueue(connection, queueNames('down').images);
    await expect(queue.add(task('a'), normal)).rejects.toMatchObject({ code: 'store_unavailable' });
    await redis.restart();
    expect(await whenRedisReady(connection, 10_000)).toBe(true);
    await queue.add(task('a'), normal);
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1 });
    await queue.close();
  });

  it('a consumer goes on by itself once Redis is back', async () => {
    const redis = await startTestRedis();
    onTestFinished(() => redis.stop());
    const { queue, consume } = await emptyQueue(redis.path);
    const ran: string[] = [];
    consume(async ({ id }) => {
      ran.push(id);
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => ran, patiently).toEqual(['a']);
    await redis.restart();
    await expect.poll(() => queue.add(task('b'), normal).then(() => true, () => false), patiently).toBe(true);
    await expect.poll(() => ran, patiently).toContain('b');
  });

  it('a consumer can be drained, in bounded time', async () => {
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
    await expect.poll(() => started, patiently).toBe(true);
    await redis.kill9();
    await consumer.drain(0);
    await redis.restart();
  });
});
