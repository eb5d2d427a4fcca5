import type { Log, TaskHandler, TaskResult, TaskSubject } from '../../domain/ports.ts';

export interface RunJobDeps {
  runJob: (job: TaskSubject, signal: AbortSignal) => Promise<TaskResult>;
  log: Log;
}

/** Creates the handler of `run_job`: runs a job. */
export function createRunJobHandler({ runJob, log }: RunJobDeps): TaskHandler {
  return async ({ tenant, id }, signal) => {
    log.debug({ job_id: id, tenant }, 'job run started');
    const result = await runJob({ tenant, id }, signal);
    if ('againInMs' in result) {
      log.info({ job_id: id, tenant, again_in_ms: result.againInMs }, 'job returned to the queue');
    }
    return result;
  };
}
