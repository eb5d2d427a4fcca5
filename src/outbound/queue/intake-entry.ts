import { z } from 'zod';
import { priorities } from '../../domain/image-request.ts';
import type { JobTaskOptions, Priority, Task } from '../../domain/ports.ts';
import { delayedPriorities } from './delayed-priorities.ts';
import { decodeTask, encodeTask, type TaskMessage } from './task-message.ts';

/** An entry of the intake list: a message and where the queue must put it. Fields of other releases are preserved. */
const Entry = z.object({
  taskId: z.string().min(1),
  priority: z.enum(priorities).catch('normal'),
  keyId: z.string().min(1).optional().catch(undefined),
  message: z.record(z.string(), z.unknown()),
});

interface IntakeEntry {
  readonly taskId: string;
  readonly priority: Priority;
  readonly keyId?: string | undefined;
  readonly message: TaskMessage;
}

/** Encodes an entry of the intake list. */
export function encodeEntry(task: Task, { priority, keyId }: JobTaskOptions): string {
  return JSON.stringify({ taskId: task.id, priority, keyId, message: encodeTask(task) });
}

/** Decodes an entry of the intake list. Returns `null` if no release wrote it. */
export function decodeEntry(text: string): IntakeEntry | null {
  try {
    return Entry.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The task of a job, as the schedule knows it. */
export interface JobTask extends JobTaskOptions {
  readonly id: string;
  readonly tenant: string;
  /** Whether the task continues started work. */
  readonly isInterrupted?: boolean | undefined;
  /** Whether the task has waited for a retry. It is then the next one of its tenant, because its run time passes. */
  readonly isRetry?: boolean | undefined;
}

/** Encodes the task of a job for the queue. Its priority and its key are needed if it returns to the schedule. */
export function encodeJobTask({ id, tenant, priority, keyId }: JobTask): TaskMessage {
  return { ...encodeTask({ kind: 'run_job', tenant, id }), priority, ...(keyId ? { keyId } : {}) };
}

/** Earlier releases passed the priority of a request to the queue. */
const priorityOfRank: Readonly<Record<number, string>> = { 1: 'high', 2: 'normal', 3: 'low' };

/**
 * Returns the task of a job that returns from the queue to the schedule, or `null` if its message does not fit the schedule.
 *
 * @param rank the priority of the task in the queue.
 */
export function returnedTask(taskId: string, message: unknown, rank: number): JobTask | null {
  // The message of a job contains its priority and its key, see `encodeJobTask`.
  const entry = Entry.safeParse({
    priority: priorityOfRank[rank],
    ...(message as object),
    ...{ taskId, message },
  });
  const task = entry.success ? jobTaskOf(entry.data) : null;
  return task && { ...task, isRetry: rank === delayedPriorities.retry };
}

/** The scripts of the schedule separate values by spaces. */
const hasNoSpace = (text: string) => !/\s/.test(text);

/** Returns the task of a job in an entry, or `null` if the entry does not fit the schedule, as one of a newer release. */
export function jobTaskOf({ taskId, priority, keyId, message }: IntakeEntry): JobTask | null {
  const decoded = decodeTask(message);
  if (decoded.format !== 'known' || decoded.task.kind !== 'run_job') return null;
  const { tenant, id } = decoded.task;
  if (id !== taskId || ![tenant, id, keyId ?? ''].every(hasNoSpace)) return null;
  return { id, tenant, priority, keyId };
}
