import type { TaskResult } from '../../src/domain/ports.ts';

export const done: TaskResult = { done: true };
export const normal = { priority: 'normal' } as const;
/** Counts of a queue without tasks. */
export const empty = { waiting: 0, delayed: 0, active: 0 };
/** Timeout for a condition that depends on the speed of the machine alone. */
export const withRetry = { timeout: 10_000 };

/** Returns the task that runs a job. */
export const task = (id: string) => ({ kind: 'run_job', tenant: 'acme', id }) as const;
