import { openHandles } from '../../domain/attempt.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { logFieldsOf } from '../../domain/job-log-fields.ts';
import type { ImageProvider, JobQueue, Log } from '../../domain/ports.ts';

interface Deps {
  /** Present only in processes that make provider calls. Other processes have no provider key. */
  provider?: Pick<ImageProvider, 'cancel'> | undefined;
  jobQueue: Pick<JobQueue, 'add'>;
  log: Log;
}

/**
 * Cancels the background calls of an ended job at the provider. No worker will resume these calls, and they continue to
 * cost money. A process without a provider enqueues the task of the job, so that a worker cancels the calls. Best effort.
 */
export function createCancelProviderCalls({ provider, jobQueue, log }: Deps) {
  return async (job: ImageJob): Promise<void> => {
    const handles = openHandles(job.attempts);
    if (handles.length === 0) return;
    if (provider) {
      for (const handle of handles) provider.cancel?.(handle);
      return;
    }
    const { tenant, id } = job;
    await jobQueue.add({ kind: 'run_job', tenant, id }, { priority: 'high' }).catch((error) => {
      log.warn({ err: error, ...logFieldsOf(job) }, 'provider calls of an ended job not canceled');
    });
  };
}
export type CancelProviderCalls = ReturnType<typeof createCancelProviderCalls>;
