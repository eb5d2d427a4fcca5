import { type ImageJob, isTerminal, type Retention } from '../../domain/image-job.ts';
import { finish, requestCancel } from '../../domain/job-moves.ts';
import type { Clock, JobQueue, Signals } from '../../domain/ports.ts';
import type { GetJob } from './get-job.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  updateJob: UpdateJob;
  getJob: GetJob;
  jobQueue: JobQueue;
  signals: Signals;
  clock: Clock;
  retentionOf: (job: ImageJob) => Retention;
}

/** Maximum time that the response waits for the worker to end a running job. */
const timeoutMs = 1_000;

/**
 * Cancels a job. A queued job ends immediately and has cost nothing. The worker that runs a job ends it and aborts the
 * provider call. The response shows the job as ended if the worker ends it within a second. The response always shows
 * the known cost.
 *
 * @throws AppError `already_terminal`, `not_found`, `erased`
 */
export function createCancelJob(deps: Deps) {
  return async (tenant: string, id: string): Promise<ImageJob> => {
    const found = await deps.getJob.get(tenant, id);
    const nowMs = deps.clock();
    const canceled = (job: ImageJob) => finish(job, 'canceled', { nowMs, retention: deps.retentionOf(job) });
    const job = await deps.updateJob(
      { tenant, id },
      (current) =>
        current.status === 'queued' ? canceled(requestCancel(current, nowMs)) : requestCancel(current, nowMs),
      found,
    );
    // The job must end here if its task was still waiting for a retry, because no worker runs it.
    const wasRemoved = await deps.jobQueue.remove(id).catch(() => false);
    if (job?.status === 'running' && wasRemoved) {
      await deps.updateJob(
        { tenant, id },
        (current) => (isTerminal(current.status) ? null : canceled(current)),
        job,
      );
    } else if (job?.status === 'running') {
      await deps.signals.requestCancel(id);
    }
    if (job && isTerminal(job.status)) return job;
    return deps.getJob.waitForEnd({ tenant, id }, timeoutMs, new AbortController().signal);
  };
}
export type CancelJob = ReturnType<typeof createCancelJob>;
