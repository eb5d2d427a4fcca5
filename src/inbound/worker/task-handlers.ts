import type { TaskHandler, TaskKind } from '../../domain/ports.ts';
import { createDeliverPendingHandler, type DeliverPendingDeps } from './deliver-pending.ts';
import { createDispatchEventHandler, type DispatchEventDeps } from './dispatch-event.ts';
import { createRunJobHandler, type RunJobDeps } from './run-job.ts';

/** One handler per task kind. */
export type TaskHandlers = Readonly<Record<TaskKind, TaskHandler>>;

/** Creates the handlers of all task kinds. */
export function createTaskHandlers(deps: RunJobDeps & DispatchEventDeps & DeliverPendingDeps): TaskHandlers {
  return {
    run_job: createRunJobHandler(deps),
    dispatch_event: createDispatchEventHandler(deps),
    deliver_pending: createDeliverPendingHandler(deps),
  };
}
