import type { JobTask } from './intake-entry.ts';

/** The schedule, as the consumer of its queue sees it. */
export interface TaskSchedule {
  /**
   * Schedules the next task, because a task of this process left its slot. Never rejects.
   *
   * @param endedTaskId the task, if it also left the queue.
   * @param returned the task, if it has to wait for the next turn of its tenant.
   */
  onSlotFree(endedTaskId?: string, returned?: JobTask): void;
  /**
   * Returns the task of a message if it continues after a delay while others wait for their turns, otherwise `null`. Without
   * this, the retries of one tenant could occupy all slots for as long as they repeat.
   *
   * @param priority the priority of the task in the queue.
   */
  findReturn(taskId: string, message: unknown, priority: number): Promise<JobTask | null>;
}
