import type { ImageRequest } from '../image-request.ts';

/** Work that waits. */

/** What a queue message carries: ids, nothing else. */
export interface Task {
  readonly tenant: string;
  readonly id: string;
}

export type Priority = ImageRequest['priority'];

export interface QueueCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
}

/** Work waiting to be done. May lose everything at any time: the records are the truth and a reconciler refills it. */
export interface TaskQueue {
  /**
   * Adding a task that is already queued changes nothing.
   *
   * @param options.taskId what tells tasks apart, where one id may be queued more than once.
   */
  add(task: Task, options: { priority: Priority; delayMs?: number; taskId?: string }): Promise<void>;
  /** Takes a waiting or delayed task out and says whether it did; a task that runs stays. */
  remove(id: string): Promise<boolean>;
  /** How many tasks are ahead; `null` when it is not waiting. */
  position(id: string): Promise<number | null>;
  /** For each id whether the queue still knows a task for it. */
  has(ids: readonly string[]): Promise<boolean[]>;
  counts(): Promise<QueueCounts>;
}

/** The cheap way into a queue: what is thrown in is queued within milliseconds, or put back by the reconciler. */
export interface TaskIntake {
  add(task: Task, options: { priority: Priority }): Promise<void>;
}

/** Why a running task is told to stop; the reason of its signal. */
export type StopReason = 'canceled' | 'draining' | 'lock_lost' | 'run_timeout';

/** What a consumer does with a task after the use case: done, or again after a delay (0: at once, elsewhere). */
export type TaskResult = { readonly done: true } | { readonly againInMs: number };
