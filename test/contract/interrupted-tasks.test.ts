import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { TaskResult } from '../../src/domain/ports.ts';
import { emptyQueue, lockDurationMs, type TestQueue } from '../support/queue.ts';
import { done, empty, normal, task, withRetry } from '../support/queue-tasks.ts';
import { compiledProgram } from '../support/service-process.ts';

/** Ends a task after some milliseconds, so that a slot becomes free at a known rate. */
async function untilRan(ms: number): Promise<TaskResult> {
  await sleep(ms);
  return done;
}

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

/** Starts a consumer in its own process that runs the given tasks and never finishes them. */
async function startHolder(prefix: string, ids: readonly string[]) {
  const program = compiledProgram('task-consumer-process');
  const child = spawn(process.execPath, [program, inject('redisPath'), prefix, String(lockDurationMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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
