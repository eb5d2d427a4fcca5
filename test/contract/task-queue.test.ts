import { describe, expect, it } from 'vitest';
import type { TaskResult } from '../../src/domain/ports.ts';
import { emptyQueue } from '../support/queue.ts';

const done: TaskResult = { done: true };
const normal = { priority: 'normal' } as const;
const task = (id: string) => ({ kind: 'run_job', tenant: 'acme', id }) as const;
const withRetry = { timeout: 10_000 };
const empty = { waiting: 0, delayed: 0, active: 0 };

describe('adding a task to a queue', () => {
  it('queues a task once if it is added twice', async () => {
    const { queue, consume } = await emptyQueue();
    await Promise.all(Array.from({ length: 20 }, () => queue.add(task('a'), normal)));
    expect(await queue.counts()).toEqual({ ...empty, waiting: 1 });
    const ran: string[] = [];
    consume(async ({ tenant, id }) => {
      ran.push(`${tenant} ${id}`);
      return done;
    });
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
    expect(ran).toEqual(['acme a']);
  });

  it('stores schema version, kind, tenant and id of a task and nothing else', async () => {
    const { queue, stored: read } = await emptyQueue();
    const given = { ...task('a'), prompt: 'nothing of this', request: { n: 10 } };
    await queue.add(given, normal);
    const stored = await read('a');
    expect(JSON.parse(stored.data ?? '')).toEqual({ v: 1, kind: 'run_job', tenant: 'acme', id: 'a' });
    expect(JSON.stringify(stored)).not.toContain('nothing of this');
  });

  it('ignores a running task and queues a finished one again', async () => {
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
    await expect.poll(() => ran.length, withRetry).toBe(1);
    await queue.add(task('a'), normal);
    expect(await queue.counts()).toEqual({ ...empty, active: 1 });
    release();
    await expect.poll(() => queue.has(['a']), withRetry).toEqual([false]);
    await queue.add(task('a'), normal);
    await expect.poll(() => ran.length, withRetry).toBe(2);
    release();
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
  });

  it('runs all delayed tasks at once if their delays are ended', async () => {
    const { queue, consume } = await emptyQueue();
    const ran: string[] = [];
    for (const id of ['a', 'b', 'c']) await queue.add(task(id), { ...normal, delayMs: 3_600_000 });
    consume(async ({ id }) => {
      ran.push(id);
      return ran.length === 1 ? { againInMs: 3_600_000 } : done;
    });
    expect(await queue.counts()).toEqual({ ...empty, delayed: 3 });
    await queue.promoteDelayed();
    await expect.poll(() => queue.counts(), withRetry).toEqual({ ...empty, delayed: 1 });
    await queue.promoteDelayed();
    await expect.poll(() => queue.counts(), withRetry).toEqual(empty);
    expect([ran.length, new Set(ran).size]).toEqual([4, 3]);
  });

  it('runs a delayed task only after its delay', async () => {
    const { queue, consume } = await emptyQueue();
    const ran: string[] = [];
    consume(async ({ id }) => {
      ran.push(id);
      return done;
    });
    await queue.add(task('later'), { ...normal, delayMs: 60_000 });
    await queue.add(task('now'), normal);
    await expect.poll(() => ran, withRetry).toEqual(['now']);
    expect(await queue.counts()).toMatchObject({ delayed: 1 });
    expect(await queue.has(['later', 'now', 'never'])).toEqual([true, expect.any(Boolean), false]);
  });
});

describe('waiting tasks of a queue', () => {
  it('positions waiting tasks by priority and then by age, and removes them', async () => {
    const { queue } = await emptyQueue();
    for (const [id, priority] of [
      ['n1', 'normal'],
      ['l1', 'low'],
      ['h1', 'high'],
      ['n2', 'normal'],
      ['h2', 'high'],
    ] as const)
      await queue.add(task(id), { priority });
    const generate = ['h1', 'h2', 'n1', 'n2', 'l1'];
    expect(await Promise.all(generate.map((id) => queue.position(id)))).toEqual([0, 1, 2, 3, 4]);
    expect(await queue.remove('h2')).toBe(true);
    expect(await queue.remove('h2')).toBe(false);
    expect(await queue.position('n1')).toBe(1);
    expect(await queue.position('h2')).toBeNull();
    expect(await queue.counts()).toEqual({ ...empty, waiting: 4 });
    expect(await queue.has(['h2', 'n1'])).toEqual([false, true]);
  });

  it('runs waiting tasks by priority and then by age', async () => {
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
    await expect.poll(() => ran, withRetry).toEqual(['h1', 'n1', 'n2', 'l1']);
  });

  it('reports no position for delayed tasks, and removes them', async () => {
    const { queue } = await emptyQueue();
    await queue.add(task('a'), { ...normal, delayMs: 60_000 });
    expect(await queue.position('a')).toBeNull();
    expect(await queue.remove('a')).toBe(true);
    expect(await queue.counts()).toEqual(empty);
  });

  it('returns nothing for an empty list of ids and for unknown ids', async () => {
    const { queue } = await emptyQueue();
    expect(await queue.has([])).toEqual([]);
    expect(await queue.remove('never')).toBe(false);
    expect(await queue.position('never')).toBeNull();
  });
});
