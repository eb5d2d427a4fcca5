import type { ImageRequest } from '../image-request.ts';
import type { Task } from '../task.ts';
import type { WorkerSlots } from './operations.ts';

export type { Task, TaskKind, TaskSubject } from '../task.ts';

/** Ports to the queues. */

export type Priority = ImageRequest['priority'];

export interface QueueCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
}

/**
 * Queue of tasks. It may lose any task at any time: the records are the truth, and the reconciler re-enqueues lost tasks.
 *
 * Every method throws AppError `store_unavailable` if the queue is not available.
 */
export interface TaskQueue {
  /**
   * Adds a task. Adding a task that is queued already has no effect.
   *
   * @param options.taskId identifies the task in the queue. Default: the id of its record. A caller that may queue the same
   *   record more than once passes distinct ids.
   * @param options.isInterrupted whether the task continues started work. It then gets the next free slot, before all
   *   waiting tasks of any priority.
   */
  add(
    task: Task,
    options: { priority: Priority; delayMs?: number; taskId?: string; isInterrupted?: boolean },
  ): Promise<void>;
  /** Removes a waiting or delayed task and returns whether it existed. A running task stays. */
  remove(taskId: string): Promise<boolean>;
  /** Returns the number of waiting tasks before this one, or `null` if the task is not waiting. */
  position(taskId: string): Promise<number | null>;
  /** Returns for each id whether the queue contains the task, in any state. */
  has(taskIds: readonly string[]): Promise<boolean[]>;
  counts(): Promise<QueueCounts>;
}

/** Options of the task of a job. */
export interface JobTaskOptions {
  /** Position among the waiting jobs of the same tenant. */
  readonly priority: Priority;
  /** API key that submitted the job. */
  readonly keyId?: string | undefined;
}

/**
 * Queue of the tasks of jobs. Tenants with waiting jobs are served in turns. The priority of a job applies among the jobs of
 * its tenant. See `TaskQueue` for losses and errors.
 */
export interface JobQueue extends Pick<TaskQueue, 'remove' | 'has' | 'counts'> {
  /**
   * Adds the task of a job. Adding a task that is queued already has no effect.
   *
   * @param options.isInterrupted whether the task continues started work. It then gets the next free slot, before all
   *   waiting tasks of all tenants.
   */
  add(task: Task, options: JobTaskOptions & { readonly isInterrupted?: boolean }): Promise<void>;
  /**
   * Returns the number of jobs that start before this one if no job is added, or `null` if the job is not waiting. With many
   * tenants the number is an estimate.
   */
  position(taskId: string): Promise<number | null>;
  /** Returns the worker processes that registered slots in the last 20 seconds. */
  workers(): Promise<WorkerSlots[]>;
}

/** Fast entry to a queue: a task is queued within milliseconds, or the reconciler re-enqueues it later. */
export interface TaskIntake {
  add(task: Task, options: JobTaskOptions): Promise<void>;
}

/** Reason why a running task must stop. It is the reason of the task's abort signal. */
export type StopReason = 'canceled' | 'draining' | 'lock_lost' | 'run_timeout';

/**
 * Result of a task: it is done, or it must run again after a delay. A delay of 0 lets another process take it at once. An
 * interrupted task then gets the next free slot. After a delay, the task of a job runs in a free slot, or waits for the turn of
 * its tenant: an interrupted one before all tasks of the tenant, any other one among those of its priority.
 */
export type TaskResult =
  | { readonly done: true }
  | { readonly againInMs: number; readonly isInterrupted?: boolean };

/** Runs the tasks of one kind. */
export type TaskHandler = (task: Task, signal: AbortSignal) => Promise<TaskResult>;
