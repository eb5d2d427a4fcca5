import type { TaskHandler, TaskResult, TaskSubject } from '../../domain/ports.ts';

export interface RunJobDeps {
  runJob: (job: TaskSubject, signal: AbortSignal) => Promise<TaskResult>;
  /** Called after a run that needs no other one. Must return at once. */
  onDone: (job: TaskSubject) => void;
}

/** Creates the handler of `run_job`: runs a job. */
export function createRunJobHandler({ runJob, onDone }: RunJobDeps): TaskHandler {
  return async ({ tenant, id }, signal) => {
    const result = await runJob({ tenant, id }, signal);
    if ('done' in result) onDone({ tenant, id });
    return result;
  };
}
