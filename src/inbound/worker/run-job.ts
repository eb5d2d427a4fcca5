import type { TaskHandler, TaskResult, TaskSubject } from '../../domain/ports.ts';

export interface RunJobDeps {
  runJob: (job: TaskSubject, signal: AbortSignal) => Promise<TaskResult>;
}

/** Creates the handler of `run_job`: runs a job. */
export function createRunJobHandler({ runJob }: RunJobDeps): TaskHandler {
  return ({ tenant, id }, signal) => runJob({ tenant, id }, signal);
}
