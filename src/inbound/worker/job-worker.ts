import type { Log, Task, TaskResult } from '../../domain/ports.ts';

interface Deps {
  runJob: (task: Task, signal: AbortSignal) => Promise<TaskResult>;
  log: Log;
}

/** Queue message to use case: runs the job that a task names. */
export function createJobWorker(deps: Deps) {
  return async (task: Task, signal: AbortSignal): Promise<TaskResult> => {
    deps.log.debug({ job_id: task.id, tenant: task.tenant }, 'job taken');
    const result = await deps.runJob(task, signal);
    if ('againInMs' in result) {
      deps.log.info({ job_id: task.id, tenant: task.tenant, again_in_ms: result.againInMs }, 'job put back');
    }
    return result;
  };
}
