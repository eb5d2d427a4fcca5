import { expect } from 'vitest';
import type { Priority, Task, TaskResult } from '../../src/domain/ports.ts';
import { ids } from '../../src/lib/ids.ts';
import type { emptyJobQueue } from './queue.ts';
import { done, withRetry } from './queue-tasks.ts';

type TestJobQueue = Awaited<ReturnType<typeof emptyJobQueue>>;

let nowMs = Date.now();

/** Returns the task of a new job. Each is a millisecond younger than the previous one. */
export function taskOf(tenant: string): Task {
  nowMs += 1;
  return { kind: 'run_job', tenant, id: ids.job(nowMs) };
}

/** Adds new jobs of a tenant. */
export async function addMany(
  { queue }: TestJobQueue,
  tenant: string,
  { count, priority = 'normal', keyId }: { count: number; priority?: Priority; keyId?: string },
): Promise<Task[]> {
  const tasks = Array.from({ length: count }, () => taskOf(tenant));
  // A command times out after two seconds, also on a busy machine.
  for (let i = 0; i < count; i += 500) {
    await Promise.all(tasks.slice(i, i + 500).map((task) => queue.add(task, { priority, keyId })));
  }
  return tasks;
}

/**
 * Starts a worker whose tasks occupy their slots until the test ends them, the oldest first. The drain after the test ends the
 * others: it would wait five seconds for them.
 */
export function startManualWorker(subject: TestJobQueue, concurrency: number) {
  const started: Task[] = [];
  const ends: ((result: TaskResult) => void)[] = [];
  const { relay } = subject.startWorker(
    (task, signal) => {
      started.push(task);
      return new Promise((resolve) => {
        ends.push(resolve);
        signal.addEventListener('abort', () => signal.reason === 'draining' && resolve(done));
      });
    },
    { concurrency, lockDurationMs: 60_000 },
  );
  return {
    started,
    relay,
    endNext: (result: TaskResult = done) => ends.shift()?.(result),
    hasStarted: (count: number) => expect.poll(() => started.length, withRetry).toBe(count),
  };
}

/** Returns the tenant of each task. */
export const tenantsOf = (tasks: readonly Task[]) => tasks.map(({ tenant }) => tenant);
