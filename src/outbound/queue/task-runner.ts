import { DelayedError, type Job, WaitingError } from 'bullmq';
import type { Log, TaskHandler, TaskResult } from '../../domain/ports.ts';
import { delayedPriorities } from './delayed-priorities.ts';
import type { JobTask } from './intake-entry.ts';
import { decodeTask } from './task-message.ts';
import type { TaskSchedule } from './task-schedule.ts';

interface Deps {
  /** Fields of every log line. */
  readonly fields: object;
  readonly log: Log;
  readonly handler: TaskHandler;
  /** Whether tasks must return to the queue at once. */
  readonly isStopping: () => boolean;
  /** The schedule that fills the queue, if one does. */
  readonly schedule: TaskSchedule | undefined;
}

type Again = Extract<TaskResult, { againInMs: number }>;

/** Pause before a failed handler runs again, in milliseconds. The record then says whether work is left. */
const pauseAfterFaultMs = 5_000;

/**
 * Pause before a task that this release cannot read is offered again, in milliseconds. A worker of the newer release may
 * take it then.
 */
const unknownTaskPauseMs = 5_000;

/**
 * Creates the processor of BullMQ's jobs: decodes the task, runs its handler and does what the result says.
 *
 * A task of an unknown kind or version was written by a newer release. It stays in the queue unchanged, delayed, until a
 * worker of that release takes it. A damaged message is dropped: the reconciler re-enqueues its record.
 */
export function createTaskRunner({ fields, log, handler, isStopping, schedule }: Deps) {
  const returned = new WeakMap<Job, JobTask>();

  async function run(job: Job, signal: AbortSignal): Promise<TaskResult> {
    if (isStopping()) return { againInMs: 0 };
    const decoded = decodeTask(job.data);
    if (decoded.format === 'damaged') {
      log.error({ ...fields, task_id: job.id }, 'damaged task dropped; reconciler will re-enqueue');
      return { done: true };
    }
    if (decoded.format === 'unknown') {
      const { kind, version } = decoded;
      log.warn(
        { ...fields, task_id: job.id, kind, version },
        'task of a newer release returned to the queue',
      );
      return { againInMs: unknownTaskPauseMs };
    }
    const { task } = decoded;
    try {
      return await handler(task, signal);
    } catch (error) {
      log.error({ ...fields, err: error, kind: task.kind, id: task.id }, 'task failed, retrying');
      return { againInMs: pauseAfterFaultMs, isInterrupted: true };
    }
  }

  /** Whether a task leaves the queue, because it has to wait for the turn of its tenant. */
  async function mustReturn(job: Job): Promise<boolean> {
    if (!schedule || isStopping()) return false;
    // If the schedule cannot be read, the task runs.
    const task = await schedule.findReturn(job.id ?? '', job.data, job.priority).catch(() => null);
    if (task) returned.set(job, task);
    return task !== null;
  }

  function priorityAfter({ againInMs, isInterrupted }: Again, job: Job): number {
    if (schedule && againInMs > 0) return delayedPriorities[isInterrupted ? 'retry' : 'blocked'];
    // A task without a priority returns to the list that is emptied first, also after a delay.
    return isInterrupted ? 0 : (job.opts.priority ?? 0);
  }

  return {
    async run(
      job: Job,
      token: string | undefined,
      signal: AbortSignal = new AbortController().signal,
    ): Promise<void> {
      if (await mustReturn(job)) return;
      const result = await run(job, signal);
      if (!('againInMs' in result)) return;
      const priority = priorityAfter(result, job);
      if (job.priority !== priority) await job.changePriority({ priority });
      if (result.againInMs > 0) {
        await job.moveToDelayed(Date.now() + result.againInMs, token);
        schedule?.onSlotFree();
        throw new DelayedError();
      }
      await job.moveToWait(token);
      throw new WaitingError();
    },

    /** Returns the task of an ended job that has to wait for the turn of its tenant. */
    returnOf: (job: Job): JobTask | undefined => returned.get(job),
  };
}
