import type { TaskHandler } from '../../domain/ports.ts';
import { taskKinds } from '../../domain/task.ts';
import type { TaskHandlers } from './task-handlers.ts';

/**
 * Creates the handler of all tasks, which passes each task to the handler of its kind.
 *
 * @throws Error at startup if a kind has no handler, because its tasks would fail one by one otherwise.
 */
export function createTaskDispatcher(handlers: Readonly<Partial<TaskHandlers>>): TaskHandler {
  const complete = requireAll(handlers);
  return (task, signal) => complete[task.kind](task, signal);
}

function requireAll(handlers: Readonly<Partial<TaskHandlers>>): TaskHandlers {
  const missing = taskKinds.filter((kind) => handlers[kind] === undefined);
  if (missing.length > 0) throw new Error(`No handler for the task kinds ${missing.join(', ')}.`);
  return handlers as TaskHandlers;
}
