import { expect, it } from 'vitest';
import { type TaskKind, taskKinds } from '../../../../src/domain/task.ts';
import { createTaskDispatcher } from '../../../../src/inbound/worker/dispatch-task.ts';

const signal = new AbortController().signal;

it('passes each task to the handler of its kind only', async () => {
  const ran: string[] = [];
  const handlerOf =
    (kind: TaskKind) =>
    async ({ id }: { id: string }) => {
      ran.push(`${kind} ${id}`);
      return { done: true } as const;
    };
  const dispatch = createTaskDispatcher({
    run_job: handlerOf('run_job'),
    dispatch_event: handlerOf('dispatch_event'),
    deliver_pending: handlerOf('deliver_pending'),
  });
  // The ids look like those of other kinds.
  await dispatch({ kind: 'deliver_pending', tenant: 'acme', id: 'evt_1' }, signal);
  await dispatch({ kind: 'run_job', tenant: 'acme', id: 'whk_1' }, signal);
  await dispatch({ kind: 'dispatch_event', tenant: 'acme', id: 'img_1' }, signal);
  expect(ran).toEqual(['deliver_pending evt_1', 'run_job whk_1', 'dispatch_event img_1']);
});

it.each(taskKinds)('fails at startup if the task kind %s has no handler', (missing) => {
  const handler = async () => ({ done: true }) as const;
  const handlers = Object.fromEntries(
    taskKinds.filter((kind) => kind !== missing).map((kind) => [kind, handler]),
  );
  expect(() => createTaskDispatcher(handlers)).toThrow(`No handler for the task kinds ${missing}.`);
});
