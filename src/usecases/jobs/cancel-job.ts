import { type ImageJob, isTerminal, type Retention } from '../../domain/image-job.ts';
import { finish, requestCancel } from '../../domain/job-moves.ts';
import type { Clock, Signals, TaskQueue } from '../../domain/ports.ts';
import type { GetJob } from './get-job.ts';
import type { UpdateJob } from './update-job.ts';

interface Deps {
  updateJob: UpdateJob;
  getJob: GetJob;
  jobQueue: TaskQueue;
  signals: Signals;
  clock: Clock;
  retentionOf: (job: ImageJob) => Retention;
}

/** How long the answer waits for the worker that holds the job to end it. */
const timeoutMs = 1_000;

/**
 * Cancels a job. A waiting one ends at once and has cost nothing. A running one is ended by the worker that holds it,
 * which aborts the provider call; the answer shows it as ended if that happens within a second, and what is known
 * about money either way.
 *
 * @throws AppError `already_terminal`, `not_found`, `erased`
 */
export function createCancelJob(deps: Deps) {
  return async (tenant: string, id: string): Promise<ImageJob> => {
    const found = await deps.getJob.get(tenant, id);
    const nowMs = deps.clock();
    const canceled = (job: ImageJob) => finish(job, 'canceled', { nowMs, retention: deps.retentionOf(job) });
    const job = await deps.updateJob(
      tenant,
      id,
      (current) =>
        current.status === 'queued' ? canceled(requestCancel(current, nowMs)) : requestCancel(current, nowMs),
      found,
    );
    // A task that waits for its next try runs nowhere: nobody else would end its job.
    const takenOut = await deps.jobQueue.remove(id).catch(() => false);
    if (job?.status === 'running' && takenOut) {
      await deps.updateJob(
        tenant,
        id,
        (current) => (isTerminal(current.status) ? null : canceled(current)),
        job,
      );
    } else if (job?.status === 'running') {
      await deps.signals.requestCancel(id);
    }
    if (job && isTerminal(job.status)) return job;
    return deps.getJob.waitForEnd(tenant, id, timeoutMs, new AbortController().signal);
  };
}
export type CancelJob = ReturnType<typeof createCancelJob>;
