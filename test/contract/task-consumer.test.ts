import { describe, expect, it } from 'vitest';
import type { StopReason } from '../../src/domain/ports.ts';
import { captured } from '../support/captured-log.ts';
import { emptyQueue, lockDurationMs, untilStopped } from '../support/queue.ts';
import { done, empty, normal, task, withRetry } from '../support/queue-tasks.ts';

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
    let isStarted = false;
    let isReturned = false;
    const first = consume(async (_task, signal) => {
      isStarted = true;
      await untilStopped(signal);
      isReturned = true;
      return { againInMs: 0 };
    });
    await expect.poll(() => isStarted, withRetry).toBe(true);
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

  it('stops fetching for good when a drain begins, even if it is started again', async () => {
    const { queue, consume, stored } = await emptyQueue();
    let isRunning = false;
    let release = () => {};
    const consumer = consume(async () => {
      isRunning = true;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return done;
    });
    await queue.add(task('a'), normal);
    await expect.poll(() => isRunning, withRetry).toBe(true);
    const drained = consumer.drain(10_000);
    consumer.start();
    await queue.add(task('b'), normal);
    // The fetch that was in flight may still return the task once.
    const fetches = async () => Number((await stored('b')).ats ?? 0);
    for (let i = 0; i < 100; i++) expect(await fetches()).toBeLessThanOrEqual(1);
    release();
    await drained;
    expect(await fetches()).toBeLessThanOrEqual(1);
  });

  it('aborts the remaining tasks of a drain and returns them, so that another consumer runs them within seconds', async () => {
    const { queue, consume } = await emptyQueue();
    const reasons: StopReason[] = [];
    let started = 0;
    const first = consume(async (_task, signal) => {
      started += 1;
      reasons.push(await untilStopped(signal));
      return { againInMs: 0 };
    });
    await queue.add(task('a'), normal);
    await queue.add(task('b'), normal);
    await expect.poll(() => started, withRetry).toBe(2);
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
