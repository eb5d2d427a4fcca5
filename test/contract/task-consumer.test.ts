import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { StopReason, TaskResult } from '../../src/domain/ports.ts';
import { captured } from '../support/captured-log.ts';
import { emptyQueue, lockDurationMs, type TestQueue, untilStopped } from '../support/queue.ts';

const done: TaskResult = { done: true };
const normal = { priority: 'normal' } as const;
const task = (id: string) => ({ kind: 'run_job', tenant: 'acme', id }) as const;
const withRetry = { timeout: 10_000 };
const empty = { waiting: 0, delayed: 0, active: 0 };

describe('a running task of a queue', () => {
  it('reports no position for a running task and refuses its removal', async () => {
    const { queue, consume } = await emptyQueue();
    let running = false;
    consume(async (_task, signal) => {
      running = true;
      await untilStopped(signal);
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => running, withRetry).toBe(true);
    expect(await queue.position('a')).toBeNull();
    expect(await queue.remove('a')).toBe(false);
    expect(await queue.has(['a'])).toEqual([true]);
  });

  it('runs a task again after the delay that its handler returned', async () => {
    const { queue, consume } = await emptyQueue();
    let runs = 0;
    consume(async () => {
      runs += 1;
      return runs === 1 ? { againInMs: 400 } : done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => queue.counts(), { ...withRetry, interval: 10 }).toEqual({ ...empty, delayed: 1 });
    expect(runs).toBe(1);
    await expect.poll(() => runs, withRetry).toBe(2);
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
  });

  it('returns a drained task to its old position in the queue', async () => {
    const { queue, consume } = await emptyQueue();
    await queue.add(task('a'), { priority: 'high' });
    let isReturned = false;
    const first = consume(async (_task, signal) => {
      await untilStopped(signal);
      isReturned = true;
      return { againInMs: 0 };
    });
    await expect.poll(() => queue.counts(), withRetry).toMatchObject({ active: 1 });
    await queue.add(task('b'), normal);
    await first.drain(0);
    expect(isReturned).toBe(true);
    expect([await queue.position('a'), await queue.position('b')]).toEqual([0, 1]);
    expect(await queue.remove('a')).toBe(true);
  });

  it('runs a task again after its handler threw', async () => {
    const { queue, consume } = await emptyQueue();
    let tries = 0;
    consume(async () => {
      tries += 1;
      if (tries === 1) throw new Error('the handler is broken');
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => queue.counts(), withRetry).toEqual({ ...empty, delayed: 1 });
    await expect.poll(() => tries, withRetry).toBe(2);
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
  });

  it('aborts a running task by its id, with the reason', async () => {
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
    await expect.poll(() => started.length, withRetry).toBe(2);
    consumer.cancel('unknown');
    consumer.cancel('a');
    await expect.poll(() => stopped, withRetry).toEqual([['a', 'canceled']]);
    await expect.poll(() => queue.has(['a', 'b']), withRetry).toEqual([false, true]);
  });
});

describe('an interrupted task', () => {
  const backlog = (queue: TestQueue['queue']) =>
    Promise.all(
      Array.from({ length: 1_000 }, (_, i) => queue.add(task(`waiting ${i}`), { priority: 'high' })),
    );

  it('gets the next free slot after its delay, before 1,000 waiting tasks of a higher priority', async () => {
    const { queue, consume } = await emptyQueue();
    const ran: string[] = [];
    await queue.add(task('a'), { priority: 'low' });
    const waiting = new Promise<void>((resolve) => {
      consume(
        async ({ id }) => {
          ran.push(id);
          if (ran.length > 1) return untilRan(50);
          await backlog(queue);
          resolve();
          return { againInMs: 100, isInterrupted: true };
        },
        { concurrency: 1 },
      );
    });
    await waiting;
    await expect.poll(() => ran.indexOf('a', 1), withRetry).toBeGreaterThan(0);
    expect(ran.length).toBeLessThan(20);
  });

  it('gets the next free slot if the reconciler re-enqueues it, and shows its position', async () => {
    const { queue, consume } = await emptyQueue();
    await backlog(queue);
    await queue.add(task('a'), { priority: 'low', isInterrupted: true });
    await queue.add(task('b'), { priority: 'low', isInterrupted: true });
    const positions = ['a', 'b', 'waiting 0', 'never'].map((id) => queue.position(id));
    expect(await Promise.all(positions)).toEqual([0, 1, 2, null]);
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1_002 });
    const ran: string[] = [];
    consume(
      async ({ id }) => {
        ran.push(id);
        return done;
      },
      { concurrency: 1 },
    );
    await expect.poll(() => ran.slice(0, 3), withRetry).toEqual(['a', 'b', 'waiting 0']);
  });

  it('returns to its priority if its next delay is no interruption', async () => {
    const { queue, consume } = await emptyQueue();
    await queue.add(task('a'), { priority: 'low' });
    const ran: string[] = [];
    consume(
      async ({ id }) => {
        ran.push(id);
        if (ran.length === 1) return { againInMs: 1, isInterrupted: true };
        if (ran.length > 2) return done;
        await queue.add(task('b'), normal);
        return { againInMs: 1 };
      },
      { concurrency: 1 },
    );
    await expect.poll(() => ran, withRetry).toEqual(['a', 'a', 'b', 'a']);
  });
});

/** Ends a task after some milliseconds, so that a slot becomes free at a known rate. */
async function untilRan(ms: number): Promise<TaskResult> {
  await sleep(ms);
  return done;
}

describe('draining a consumer', () => {
  it('lets running tasks finish while draining and starts no new one', async () => {
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
    await expect.poll(() => ran, withRetry).toEqual(['a']);
    const drained = consumer.drain(10_000);
    await queue.add(task('b'), normal);
    release();
    await drained;
    expect(ran).toEqual(['a']);
    expect(await queue.has(['a', 'b'])).toEqual([false, true]);
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1 });
  });

  it('aborts the remaining tasks of a drain and returns them, so that another consumer runs them within seconds', async () => {
    const { queue, consume } = await emptyQueue();
    const reasons: StopReason[] = [];
    const first = consume(async (_task, signal) => {
      reasons.push(await untilStopped(signal));
      return { againInMs: 0 };
    });
    await queue.add(task('a'), normal);
    await queue.add(task('b'), normal);
    await expect.poll(() => queue.counts(), withRetry).toEqual({ ...empty, active: 2 });
    const elsewhere: string[] = [];
    await first.drain(50);
    expect(reasons).toEqual(['draining', 'draining']);
    consume(async ({ id }) => {
      elsewhere.push(id);
      return done;
    });
    // The timeout is shorter than the lock, after which any consumer would take the tasks.
    await expect.poll(() => elsewhere.toSorted(), { timeout: lockDurationMs / 2 }).toEqual(['a', 'b']);
  });

  it('drains at once if no task runs', { timeout: 15_000 }, async () => {
    const { queue, consume } = await emptyQueue();
    const consumer = consume(async () => done);
    await queue.add(task('a'), normal);
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
    await consumer.drain(60_000);
  });
});

/** Starts a consumer in its own process that runs the given tasks and never finishes them. */
async function startHolder(prefix: string, ids: readonly string[]) {
  const program = join(import.meta.dirname, '../support/task-consumer-process.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', program, inject('redisPath'), prefix, String(lockDurationMs)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill9 = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill9);
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  await expect.poll(() => lines.toSorted(), { timeout: 20_000 }).toEqual(ids);
  return { child, lines, kill9 };
}

describe('a killed consumer', () => {
  it('loses no task of a killed consumer: another consumer runs its tasks after their locks have expired', async () => {
    const { queue, prefix, consume } = await emptyQueue();
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await queue.add(task(id), normal);
    const holder = await startHolder(prefix, ids);
    await holder.kill9();
    const ran: string[] = [];
    consume(async ({ id }) => {
      ran.push(id);
      return done;
    });
    await expect.poll(() => ran.toSorted(), { timeout: 20_000 }).toEqual(ids);
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
  });

  it('checks for the tasks of a killed consumer four times per lock and runs them before 1,000 waiting tasks', async () => {
    const { queue, prefix, consume } = await emptyQueue();
    await queue.add(task('a'), { priority: 'low' });
    const holder = await startHolder(prefix, ['a']);
    let ranAt = 0;
    let runs = 0;
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => queue.add(task(`waiting ${i}`), normal)));
    await holder.kill9();
    const killedAt = Date.now();
    consume(
      async ({ id }) => {
        runs += 1;
        if (id === 'a') ranAt = Date.now();
        return untilRan(50);
      },
      { concurrency: 1 },
    );
    await expect.poll(() => ranAt, withRetry).toBeGreaterThan(0);
    expect(ranAt - killedAt).toBeLessThan(1.75 * lockDurationMs);
    expect(runs).toBeLessThan(100);
  });
});

describe('a consumer that hangs longer than its lock', () => {
  it('passes the task of a consumer that hangs longer than its lock to another one, and aborts it when the first continues', async () => {
    const { queue, prefix, consume } = await emptyQueue();
    await queue.add(task('a'), normal);
    const holder = await startHolder(prefix, ['a']);
    holder.child.kill('SIGSTOP');
    let runs = 0;
    consume(async () => {
      runs += 1;
      return done;
    });
    await expect.poll(() => runs, { timeout: 20_000 }).toBe(1);
    holder.child.kill('SIGCONT');
    await expect.poll(() => holder.lines, withRetry).toEqual(['a', 'a lock_lost']);
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
    expect(runs).toBe(1);
  });
});

describe('a task of a newer release', () => {
  it.each([
    { v: 1, kind: 'edit_job', tenant: 'acme', id: 'b', inputs: ['upl_1'] },
    { v: 2, kind: 'run_job', tenant: 'acme', id: 'b', lane: 'flex' },
  ])(
    'leaves a task of a newer release in the queue unchanged and does not hold up others: %j',
    async (message) => {
      const { queue, stored, consume } = await emptyQueue();
      await queue.addMessage(message, { taskId: 'b', priority: 'high' });
      await queue.add(task('a'), normal);
      const ran: string[] = [];
      const { log, lines } = captured();
      consume(
        async ({ id }) => {
          ran.push(id);
          return done;
        },
        { log, concurrency: 1 },
      );
      await expect.poll(() => ran, withRetry).toEqual(['a']);
      await expect.poll(() => queue.counts(), withRetry).toEqual({ ...empty, delayed: 1 });
      expect(JSON.parse((await stored('b')).data ?? '')).toEqual(message);
      expect(lines).toMatchObject([
        {
          message: 'task of a newer release returned to the queue',
          fields: { kind: message.kind, version: message.v },
        },
      ]);
    },
  );

  it('drops a damaged task, because the reconciler re-enqueues its record', async () => {
    const { queue, consume } = await emptyQueue();
    await queue.addMessage({ tenant: 'acme' }, { taskId: 'b', priority: 'normal' });
    consume(async () => Promise.reject(new Error('no task is expected')));
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
  });
});
