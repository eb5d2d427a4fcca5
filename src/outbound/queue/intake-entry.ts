import { z } from 'zod';
import { priorities } from '../../domain/image-request.ts';
import type { Priority, Task } from '../../domain/ports.ts';
import { encodeTask, type TaskMessage } from './task-message.ts';

/** An entry of the intake list: a message and where the queue must put it. Fields of other releases are preserved. */
const Entry = z.object({
  taskId: z.string().min(1),
  priority: z.enum(priorities).catch('normal'),
  message: z.record(z.string(), z.unknown()),
});

/** Encodes an entry of the intake list. */
export function encodeEntry(task: Task, priority: Priority): string {
  return JSON.stringify({ taskId: task.id, priority, message: encodeTask(task) });
}

/** Decodes an entry of the intake list. Returns `null` if no release wrote it. */
export function decodeEntry(
  text: string,
): { taskId: string; priority: Priority; message: TaskMessage } | null {
  try {
    return Entry.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
