import { DelayedError, type Job, WaitingError } from 'bullmq';
import type { Log, TaskHandler, TaskResult } from '../../domain/ports.ts';
import { decodeTask } from './task-message.ts';

interface Deps {
  /** Fields of every log line. */
  readonly fields: object;
  readonly log: Log;
  readonly handler: TaskHandler;
  /** Whether tasks must return to the queue at once. */
  readonly isStopping: () => boolean;
  /** Called after a task left its slot for a delay. */
  readonly onDelayed: () => void;
}

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
export function createTaskRunner({ fields, log, handler, isStopping, onDelayed }: Deps) {
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

  return async (
    job: Job,
    token: string | undefined,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<void> => {
    const result = await run(job, signal);
    if (!('againInMs' in result)) return;
    // A task without a priority returns to the list that is emptied first, also after a delay.
    const priority = result.isInterrupted ? 0 : (job.opts.priority ?? 0);
    if (job.priority !== priority) await job.changePriority({ priority });
    if (result.againInMs > 0) {
      await job.moveToDelayed(Date.now() + result.againInMs, token);
      onDelayed();
      throw new DelayedError();
    }
    await job.moveToWait(token);
    throw new WaitingError();
  };
}
